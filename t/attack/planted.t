#!/bin/bash
# An agent that makes the rules: the configuration lies in the source, where the agent may write all, or
# what else decides about the owner's next command. (A symlink to the configuration in there is the
# agent's, and what is mounted by that next, too.)
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

look_at() { if [[ -L $1 ]]; then readlink "$1"; else cat "$1"; fi; }

check_file() { # WHAT NAME FILE: the file as the view was mounted from, NAME in the view
    local before
    before=$(stat -c '%i %h %a %Y' "$3" && look_at "$3")
    (try_all "$view" "$2") >/dev/null 2>&1
    is "$1: it is what it was after all that an agent can try" \
        "$(stat -c '%i %h %a %Y' "$3" && look_at "$3")" "$before"
    [[ -L $3 ]] || ok "$1: and can be read" test -r "$view/$2"
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

# Who would be asked, which variables the next command gets, and what it would see beside the view.
other_files() {
    local name
    mkdir -p source/bin source/secrets source/image other
    echo secret >source/secret
    printf '#!/bin/sh\nexit 1\n' >source/bin/approver
    chmod +x source/bin/approver
    ln -s bin source/tools
    ln -s "$workdir/other" source/sdk
    ln -s no-such source/dangling
    echo NAME=value >source/secrets/env
    config=$workdir/scopefs.ini
    {
        rules "$workdir/source"
        printf '[exec own]\napprover = source/tools/approver\nenv-file = source/secrets/env\n'
        printf 'env-file = source/absent/env\nenv-file = source/dangling/env\n'
        printf 'ro-bind = %s /opt/sdk\nrootfs = %s\n' "$workdir/source/sdk/bin" "$workdir/source/image"
    } >"$config"
    mount_view own || return
    for name in tools bin/approver secrets/env sdk dangling; do
        check_file "$name" "$name" "source/$name"
    done
    fails "what is missing of the way is not made" mkdir "$view/absent"
    fails "nor as a link" ln -s /etc "$view/absent"
    fails "and an image is not filled" mkdir "$view/image/usr"
    ok "beside all that, what the rules say" mkdir "$view/made"
    unmount_view
}

for_each_user in_the_source
for_each_user other_files
for_each_user by_symlink
done_testing
