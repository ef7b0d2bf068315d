#!/usr/bin/env bash
# The command line: what each command prints, what it refuses, with which words and exit status.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

is_mounted() { [[ $(test_mounts_below "$1" | tr '\0' '\n') == *"$1"* ]]; }

make_source() {
    mkdir -p source/{src,docs,secrets} mnt
    echo "int main;" >source/src/main.c
    echo "text" >source/docs/plan.txt
    echo "key" >source/secrets/key
    echo "KEY=1" >source/.env
    write_config <<'END'
[scope agent]
source  = source
mount   = mnt
default = none

[rules agent]
read  = /
write = /src/
view  = /docs/

[ceiling agent]
none  = .env*

[scope other]
source  = source
default = read
END
}

prints_help_and_refuses_wrong_usage() {
    local command
    exits "without a command it says how to use it" 2 scopefs
    like "on standard error" "$errors" '[Uu]sage'
    ok "--help" scopefs --help
    for command in mount umount check explain ls exec; do
        like "--help names $command" "$output" "$command"
    done
    for command in mount umount check explain ls; do
        run scopefs "$command" --help
        like "$command --help prints a usage line and succeeds" "$status:$output" "^0:.*scopefs $command"
        exits "$command refuses an unknown option" 2 scopefs "$command" --no-such-option
        like "and names it" "$errors" no-such-option
    done
    exits "an unknown command" 2 scopefs fly
    like "is named" "$errors" fly
    exits "mount without a scope" 2 scopefs mount
    exits "explain without a path" 2 scopefs explain agent
}

checks_a_file() {
    make_source
    ok "check of a good file" scopefs check "$config"
    cat >bad.ini <<'END'
[scope agent]
source = source
colour = red

[rules agent]
reed = /src/
none = /a/[b

[rules nobody]
read = /
END
    exits "check of a bad file" 1 scopefs check bad.ini
    local all=$output$errors place
    for place in 3 6 7 9; do
        like "lists the error in line $place with its column" "$all" "bad.ini:$place:[0-9]+: "
    done
    like "says which key is unknown" "$all" colour
    like "says which level is unknown" "$all" reed
    exits "check of a file that is not there" 1 scopefs check missing.ini
    like "names it" "$output$errors" missing.ini
}

explains_paths() {
    make_source
    ok "explain" scopefs explain -c "$config" agent src/main.c
    like "says the level" "$output" write
    like "and the deciding place" "$output" 'scopefs.ini:8'
    ok "explain of several" scopefs explain -c "$config" agent src/main.c docs/plan.txt .env not/there
    like "names the ceiling that decided" "$output" 'scopefs.ini:12'

    ok "explain --json" scopefs explain --json -c "$config" agent src/main.c .env 'a "b"'
    is "is one line per path" "$(wc -l <<<"$output")" 3
    is "with path, level and rule" "$(perl -MJSON::PP -ne '
        my $answer = decode_json($_);
        my $rule = $answer->{rule};
        $rule->{file} =~ s{.*/}{};
        print "$answer->{path}|$answer->{level}|$rule->{file}|$rule->{line}|$rule->{pattern}\n"
    ' <<<"$output")" 'src/main.c|write|scopefs.ini|8|/src/
.env|none|scopefs.ini|12|.env*
a "b"|read|scopefs.ini|7|/'
    ok "explain --json where the default decides" scopefs explain --json -c "$config" other x
    like "has null as its rule" "$output" '"rule": ?null'
    exits "a path with .. has no meaning" 1 scopefs explain -c "$config" agent ../x
    exits "an unknown scope" 1 scopefs explain -c "$config" agnet src
    like "lists those there are" "$errors" 'agent.*other'
}

lists_levels() {
    make_source
    ok "ls" scopefs ls -c "$config" agent
    like "shows what is hidden, with its level" "$output" 'none +.*\.env'
    like "shows what can be written" "$output" 'write +.*src'
    unlike "does not go deeper" "$output" main.c
    ok "ls of a folder" scopefs ls -c "$config" agent docs
    like "shows its entries" "$output" 'view +.*plan.txt'
    ok "ls -R" scopefs ls -R -c "$config" agent
    like "goes deeper" "$output" 'write +.*src/main.c'
    fails "ls of what is not there" scopefs ls -c "$config" agent missing
}

finds_its_configuration() {
    make_source
    ok "./scopefs.ini is found" scopefs explain agent src
    mkdir -p elsewhere home/scopefs
    cp scopefs.ini home/scopefs/scopefs.ini
    export XDG_CONFIG_HOME=$workdir/home
    chmod o+w scopefs.ini
    fails "but not one that everybody can write" scopefs explain agent src
    like "which is said" "$errors" "can be written by everybody.*-c ./scopefs.ini"
    chmod o-w scopefs.ini
    sed -i "s|^source.*|source = $workdir|" home/scopefs/scopefs.ini
    ok "nor mind another that shows it" scopefs explain agent src
    printf '[rules agent]\nwrite = /\n' >>home/scopefs/scopefs.ini
    fails "not if that lets an agent write it" scopefs explain agent src
    like "which is said, too" "$errors" "source of scope agent of $workdir/home/scopefs/scopefs.ini"
    ok "but where it is named" scopefs explain -c ./scopefs.ini agent src
    if ((EUID == 0)); then
        cp home/scopefs/scopefs.ini kept.ini && rm home/scopefs/scopefs.ini
        chown 1:1 scopefs.ini
        fails "nor another user's" scopefs explain agent src
        like "as is said" "$errors" "belongs to another user"
        mv kept.ini home/scopefs/scopefs.ini
    fi
    cd elsewhere || return
    cp ../scopefs.ini "$workdir/home/scopefs/scopefs.ini"
    ok "the user's is found" scopefs explain agent src
    export XDG_CONFIG_HOME=$workdir/nothing
    if [[ ! -e /etc/scopefs/scopefs.ini ]]; then
        exits "none at all" 1 scopefs explain agent src
        like "says where it looked" "$errors" 'scopefs\.ini'
    fi
    unset XDG_CONFIG_HOME
}

mounts_and_unmounts() {
    make_source
    ok "mount where the scope says" scopefs mount agent
    is "the view is there when mount returns" "$(cat mnt/src/main.c)" "int main;"
    ok "umount by scope" scopefs umount agent
    is "it is gone" "$(ls -A mnt)" ''
    mkdir place
    ok "mount at a given place" scopefs mount -c "$config" agent place
    is "is used" "$(cat place/src/main.c)" "int main;"
    ok "umount by mount point" scopefs umount place
    is "it is gone" "$(ls -A place)" ''
    exits "umount of what is not mounted" 1 scopefs umount place
    exits "umount of a scope that is not mounted" 1 scopefs umount agent
    ok "mount at a place with a blank and a newline" \
        bash -c 'mkdir "$1" && scopefs mount agent "$1" && test -e "$1/src" && scopefs umount "$1"' \
        - "$workdir/a place"$'\n'"of its own"

    sed -i "s/^\[scope other\]/[scope other-$$]/" scopefs.ini
    ok "mount at the default place" scopefs mount "other-$$"
    local place=$XDG_RUNTIME_DIR/scopefs/other-$$
    ((EUID != 0)) || place=/run/scopefs/other-$$
    is "is the runtime folder" "$(cat "$place/docs/plan.txt")" text
    ok "umount of it" scopefs umount "other-$$"
    ok "nothing is left of it" test ! -e "$place/docs"
}

refuses_to_mount() {
    make_source
    local all
    mkdir full source/inside empty
    : >full/file
    : >file
    exits "a mount point that is not empty" 1 scopefs mount agent full
    like "is named" "$errors" full
    exits "a mount point that is a file" 1 scopefs mount agent file
    exits "a mount point that is missing" 1 scopefs mount agent missing/place
    exits "a mount point inside the source" 1 scopefs mount agent source/inside
    ln -s source/inside detour
    exits "also by a symlink" 1 scopefs mount agent detour
    mkdir -p outer/source
    exits "a source inside the mount point" 1 \
        scopefs mount --source outer/source --preset read-only outer
    ok "a first view" scopefs mount agent empty
    exits "a second one on it" 1 scopefs mount agent empty
    exits "a view of the same view on itself" 1 scopefs mount --source empty --preset read-only empty
    ok "the first one still works" cat empty/src/main.c
    ok "and goes" scopefs umount empty

    sed 's/^source .*/source = gone/' scopefs.ini >gone.ini
    exits "a source that is missing" 1 scopefs mount -c gone.ini agent empty
    like "is named" "$errors" gone
    exits "an unknown scope" 1 scopefs mount agnet empty
    like "gets the list of scopes" "$errors" 'agent.*other'
    exits "an unknown preset" 1 scopefs mount --source source --preset no-such empty
    like "is named" "$errors" no-such
    exits "a rule that is none" 1 scopefs mount --source source --rule reed=/x empty
    like "is named" "$errors" reed
    printf '[scope agent]\nsource = source\n[rules agent]\nreed = /\nnone = a/../b\n' >bad.ini
    exits "a file with errors" 1 scopefs mount -c bad.ini agent empty
    all=$output$errors
    like "has its first error listed" "$all" 'bad.ini:4:'
    like "and its second" "$all" 'bad.ini:5:'
    is "nothing is mounted after all this" "$(test_mounts_below "$workdir" | tr '\0' '\n')" ''
}

mounts_without_a_file() {
    make_source
    ok "mount --source --preset --rule" scopefs mount --source source --preset agent-safe \
        --rule write=/src/ --rule view=/docs/ mnt
    ok "the preset's read" test -r mnt/docs
    is "its secrets do not exist" "$(ls -A mnt)" $'docs\nsrc'
    ok "the rule's write" sh -c 'echo "int more;" >>mnt/src/main.c'
    fails "the later rule's view" cat mnt/docs/plan.txt
    like "is listed" "$(ls mnt/docs)" plan.txt
    fails "the preset forbids the rest" touch mnt/new
    ok "umount" scopefs umount mnt
}

stays_in_the_foreground() {
    make_source
    local signal pid
    for signal in TERM INT; do
        # Without job control a background job ignores SIGINT from birth.
        set -m
        scopefs mount -f agent mnt >log 2>&1 &
        pid=$!
        set +m
        wait_for '[[ -e mnt/src/main.c ]]'
        ok "-f: the process is there while the view is" kill -0 "$pid"
        kill -"$signal" "$pid"
        wait "$pid"
        is "-f: SIG$signal ends it with 0" $? 0 || diag "$(cat log)"
        is "-f: and unmounts" "$(ls -A mnt)" ''
        ok "-f: wholly" sh -c '! mountpoint -q mnt'
    done
    scopefs mount -f agent mnt >log 2>&1 &
    pid=$!
    wait_for '[[ -e mnt/src/main.c ]]'
    ok "-f: umount ends it too" scopefs umount mnt
    wait "$pid"
    is "-f: with 0" $? 0
    exits "-f: an error has exit status 1 as well" 1 scopefs mount -f agent missing/place
}

survives_its_source() {
    make_source
    ok "mount" scopefs mount agent
    rm -r source
    fails "a removed source: nothing to be listed or an error" sh -c 'ls mnt/src'
    fails "a removed source: nothing to be read" cat mnt/src/main.c
    ok "and it can be unmounted" scopefs umount mnt
}

for body in prints_help_and_refuses_wrong_usage checks_a_file explains_paths lists_levels \
    finds_its_configuration mounts_and_unmounts refuses_to_mount mounts_without_a_file \
    stays_in_the_foreground survives_its_source; do
    for_each_user "$body"
done
done_testing
