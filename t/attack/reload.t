#!/bin/bash
# New rules for a mounted view: what was open, mapped or cached under the old ones gives nothing away.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

rules() { # RULE...
    {
        printf '[scope live]\nsource = source\ncache = %s\npassthrough = no\n[rules live]\n' "${TEST_CACHE:-timeout 60}"
        printf '%s\n' "$@"
    } >"$workdir/new.ini"
    mv "$workdir/new.ini" "$workdir/scopefs.ini"
}

ask() { # COMMAND: the client's answer, in $answer
    printf '%s\n' "$*" >&"${client[1]}"
    IFS= read -r answer <&"${client[0]}"
}

answers() { # NAME COMMAND EXPECTED
    ask "$2"
    is "$1" "$answer" "$3"
}

start_client() {
    coproc client { exec "$TEST_RELOAD_CLIENT"; }
}

stop_client() {
    local end=${client[1]}
    exec {end}>&-
    # shellcheck disable=SC2154 # set by coproc
    wait "${client_PID}" 2>/dev/null
}

body() {
    mkdir "$workdir/source" "$workdir/source/dir"
    printf '%8192s' canary >"$workdir/source/secret"
    printf 'x' >"$workdir/source/dir/inner"
    config=$workdir/scopefs.ini
    # Where files are locked no absence is cached, so this comes before that.
    printf 'x' >"$workdir/source/unseen"
    rules 'write = /' 'none = /unseen'
    mount_view live
    fails 'a hidden name is not there' stat "$view/unseen"
    rules 'write = /'
    ok 'reload to show it' scopefs reload live
    # Older kernels cannot be told to forget names that they never saw (FUSE_NOTIFY_INC_EPOCH).
    ! perl -e 'exit !(`uname -r` =~ /^(\d+)\.(\d+)/ && ($1 > 6 || $1 == 6 && $2 >= 16))' ||
        ok 'what was never seen before is there at once' stat "$view/unseen"
    rm "$workdir/source/unseen"

    start_client
    answers 'a writable file is held and mapped' "hold $view/secret" ok
    answers 'it is written' write ok
    answers 'it is read through the mapping' mapped ok
    answers 'it is locked' flock ok
    answers 'in both ways' lock ok
    exec {listing}<"$view/dir"

    rules 'write = /' 'read = /secret'
    ok 'reload to read' scopefs reload live
    answers 'the held descriptor writes no more' write EACCES
    answers 'but reads' read ok
    answers 'and so does the mapping' mapped ok
    fails 'it cannot be opened for writing' sh -c ": >>'$view/secret'"

    rules 'write = /' 'view = /secret'
    ok 'reload to view' scopefs reload live
    answers 'the held descriptor reads no more' read EACCES
    answers 'nor does the mapping' mapped SIGBUS
    answers 'it is still there to be looked at' stat ok
    answers 'the locks can be given back' unlock ok
    answers 'but not taken again' flock EACCES
    answers 'in neither way' lock EACCES
    answers 'nor is told who has one' locked EACCES

    rules 'write = /' 'none = /secret' 'none = inner'
    ok 'reload to none' scopefs reload live
    answers 'the held descriptor is not even looked at' stat ENOENT
    answers 'nor locked' flock ENOENT
    fails 'the name is gone' stat "$view/secret"
    is 'and from the listing' "$(ls "$view")" dir
    is 'also of a directory that was open before' "$(ls "/proc/self/fd/$listing/")" ''
    exec {listing}<&-

    rules 'none = ['
    exits 'an error in the file is returned' 1 scopefs reload live
    like 'with its place' "$errors" 'scopefs.ini:6:8: error'
    fails 'and the old rules stay' stat "$view/secret"
    rules 'write = /'
    sed -i 's|source = source|source = source/dir|' "$config"
    exits 'another source is refused' 1 scopefs reload live
    like 'with the way to get it' "$errors" 'scopefs umount live'
    rules 'write = /'
    ok 'reload to write again' scopefs reload live
    ok 'what was known to be absent is there at once' stat "$view/secret"
    answers 'the held descriptor reads again' read ok
    answers 'and writes' write ok
    stop_client

    start_client
    answers '8 threads open, read and lock' "hammer $view/secret" ok
    for level in read view none write; do
        rules "$level = /secret" 'write = /dir'
        ok "reload to $level under load" scopefs reload live
    done
    rules 'none = /secret' 'write = /dir'
    ok 'reload under load' scopefs reload -c "$config" live
    answers 'the time is noted' mark ok
    answers 'no open that began after the reload was judged by the old rules' late 0
    stop_client

    rules 'write = /'
    pid=$(sed -n 's/^pid = //p' "$(grep -lx 'scope = live' "$(runtime_folder)"/.run/*[0-9] | head -n 1)")
    kill -HUP "$pid"
    wait_for "stat '$view/secret' >/dev/null 2>&1"
    ok 'SIGHUP reloads too' cat "$view/secret"
    rules 'nothing = /'
    kill -HUP "$pid"
    wait_for "grep -q 'the rules stay as they were' '$(runtime_folder)/.live.log'"
    ok 'and keeps the rules when the file has an error' cat "$view/secret"
    exits 'a scope that is not mounted is told' 1 scopefs reload nobody
}

TEST_RELOAD_CLIENT=$(shared_copy "$SCOPEFS_BUILDDIR/t/attack/reload_client")
export TEST_RELOAD_CLIENT
for_each_user body
done_testing
