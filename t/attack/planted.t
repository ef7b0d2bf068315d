#!/bin/bash
# An agent that makes the rules: the configuration lies in the source, where the agent may write all. (A
# symlink to it in there is the agent's, and what is mounted by that next, too.)
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

rules() { printf '[scope own]\nsource = %s\ndefault = write\n[rules own]\nnone = /secret\n' "$1"; }

# Every way to other content by the name.
try_all() { # VIEW NAME: as the agent
    cd "$1" || return
    printf 'more\n' >>"$2"
    printf 'other\n' >"$2"
    : >own && mv -f own "$2"
    : >own && ln -f own "$2"
    ln -sf own "$2"
    rm -f "$2"
    mv "$2" taken
    ln "$2" taken
    truncate -s 0 "$2"
    chmod 777 "$2"
    touch "$2"
    perl -e 'my $flags = 2; syscall(316, -100, "own", -100, $ARGV[0], $flags)' "$2"
    if [[ $2 == */* ]]; then
        mv "${2%%/*}" moved
        mkdir -p new && touch "new/${2##*/}" && mv -T new "${2%%/*}"
        mkdir -p new && perl -e 'syscall(316, -100, "new", -100, $ARGV[0], 2)' "${2%%/*}"
    fi
}

check_file() { # WHAT NAME FILE: the file as the view was mounted from, NAME in the view
    local before
    before=$(stat -c '%i %h %a %Y' "$3" && cat "$3")
    (try_all "$view" "$2") >/dev/null 2>&1
    is "$1: it is what it was after all that an agent can try" \
        "$(stat -c '%i %h %a %Y' "$3" && cat "$3")" "$before"
    ok "$1: and can be read" test -r "$view/$2"
    scopefs reload own
    fails "$1: what is hidden stays so after a reload" cat "$view/secret"
}

in_the_source() {
    local name
    for name in scopefs.ini 'folder/[rules]{a,b} *.ini'; do
        new_workdir
        cd "$workdir" || return
        mkdir -p source/folder
        echo secret >source/secret
        config=$workdir/source/$name
        rules "$workdir/source" >"$config"
        mount_view own || return
        check_file "$name in its source" "$name" "$config"
        unmount_view
    done
}

by_symlink() {
    mkdir -p source/folder
    echo secret >source/secret
    ln -s source other-source
    rules "$workdir/other-source" >source/folder/real.ini
    ln -s folder/real.ini source/link.ini
    config=$workdir/source/link.ini
    mount_view own || return
    check_file "what a symlink leads to" folder/real.ini source/folder/real.ini
    unmount_view
}

for_each_user in_the_source
for_each_user by_symlink
done_testing
