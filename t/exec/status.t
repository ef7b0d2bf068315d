#!/bin/bash
# What scopefs-exec returns, and how a command is started in it.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

statuses() {
    make_project
    exits "a command's own exit status is passed on" 7 in_sandbox sh -c 'exit 7'
    exits "success is passed on" 0 in_sandbox true
    exits "a command that is not there gives 127" 127 in_sandbox no-such-command
    like "and is named" "$errors" "cannot run 'no-such-command'"
    exits "a file that is not executable gives 126" 126 in_sandbox ./readable
    exits "a hidden file gives the 127 of one that is not there" 127 in_sandbox ./.env
    exits "death by SIGKILL gives 137" 137 in_sandbox sh -c 'kill -KILL $$'
    exits "death by SIGTERM gives 143" 143 in_sandbox sh -c 'kill -TERM $$'
    exits "-- may be left out" 3 scopefs-exec -c "$config" "$scope" sh -c 'exit 3'
    exits "options behind the command are the command's" 0 \
        scopefs-exec -c "$config" "$scope" ls --help
    is "nothing is left behind" "$(leftovers)" ""
}

usage() {
    make_project
    exits "no scope gives 125" 125 scopefs-exec
    like "with a hint" "$errors" "Try 'scopefs-exec --help'"
    exits "no command gives 125" 125 scopefs-exec -c "$config" "$scope"
    exits "no command after -- gives 125" 125 scopefs-exec -c "$config" "$scope" --
    exits "an unknown option gives 125" 125 scopefs-exec --no-such-option "$scope" true
    exits "an unknown scope gives 125" 125 scopefs-exec -c "$config" agnet true
    like "with the scopes there are" "$errors" "$scope"
    exits "a missing configuration gives 125" 125 scopefs-exec -c nowhere.ini "$scope" true
    exits "a bad duration gives 125" 125 scopefs-exec -c "$config" -t 5x "$scope" true
    exits "a variable without a value gives 125" 125 scopefs-exec -c "$config" -e NAME "$scope" true
    exits "a work folder outside gives 125" 125 scopefs-exec -c "$config" -w /etc "$scope" true
    exits "a work folder with .. gives 125" 125 scopefs-exec -c "$config" -w output/../.. "$scope" true
    exits "a work folder that is not there gives 125" 125 \
        scopefs-exec -c "$config" -w nowhere "$scope" true
    like "and is named" "$errors" "/workspace/nowhere"
    echo "lvl = read" >>"$config"
    exits "a configuration with an error gives 125" 125 in_sandbox true
    like "with its place" "$errors" "scopefs.ini:[0-9]+:[0-9]+: error:"
    exits "--help succeeds" 0 scopefs-exec --help
    like "and tells of the options" "$output" "--timeout"
    exits "--version succeeds" 0 scopefs-exec --version
    is "nothing is left behind" "$(leftovers)" ""
}

surroundings() {
    make_project
    cat >>"$config" <<END

[exec $scope]
env.FLAVOUR = sour cherry
env.TERM = dumb
env-pass = TEST_PASSED TEST_NOT_THERE
END
    export TEST_PASSED=through TEST_OTHER=stays
    run in_sandbox env
    is "the environment holds what is listed, and nothing else" "$(sort <<<"$output")" \
        "FLAVOUR=sour cherry
HOME=/home/agent
LANG=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PWD=/workspace
SHELL=/bin/sh
TERM=dumb
TEST_PASSED=through
USER=agent"
    run scopefs-exec -c "$config" -e FLAVOUR=plum --env NEW=a=b "$scope" env
    like "the command line's variables win" "$output" "FLAVOUR=plum"
    like "and may hold =" "$output" "NEW=a=b"
    run in_sandbox pwd
    is "a command starts in the view" "$output" /workspace
    run scopefs-exec -c "$config" -w output "$scope" pwd
    is "--workdir is relative to it" "$output" /workspace/output
    run scopefs-exec -c "$config" -w /workspace/output "$scope" ls
    is "or absolute" "$output" old
    is "standard input and output are the caller's" "$(echo in | in_sandbox cat)" in
    is "standard error too" "$(in_sandbox sh -c 'echo err >&2' 2>&1 >/dev/null)" err
    exits "a command runs without any standard descriptor" 5 \
        bash -c 'scopefs-exec -c "$0" "$1" sh -c "exit 5" <&- >&- 2>&-' "$config" "$scope"
    # shellcheck disable=SC2012
    is "no other descriptor is open" \
        "$(exec 7<"$config" 8>other && sandbox_shell 'cd /proc/self/fd && echo *')" "0 1 2 3"
    # 3 is the listing's own.
    run in_sandbox id -u
    is "it does not run as root" "$([[ $output != 0 ]] && echo no)" no
    ((EUID == 0)) || is "it runs as the caller" "$output" "$EUID"
    run in_sandbox sh -c 'whoami; id -gn; hostname; echo ~'
    is "names and home are made up" "$output" "agent
agent
$scope
/home/agent"
}

dry_run() {
    local printed
    make_project
    run scopefs-exec -c "$config" -n "$scope" true
    printed=$output
    is "--dry-run succeeds" "$status" 0
    like "and prints a bwrap command" "$printed" "bwrap .*--unshare-user .*--disable-userns"
    fails "and mounts nothing" grep -F "$workdir/views/$scope" /proc/self/mountinfo
    mkdir -p "views/$scope"
    ok "the view is mounted as it says" \
        bash -c "$(sed -n 's/^# scopefs mount/scopefs mount/p' <<<"$printed")"
    run scopefs-exec -c "$config" -n -e "QUOTED=it's" "$scope" \
        sh -c 'echo "$1 $QUOTED"; cat readable .env' sh 'two  words'
    run bash -c "$output"
    is "pasted into a shell, it runs the command" "$output" "two  words it's
readable"
    like "in the view" "$errors" "No such file"
    unmount_view "$workdir/views/$scope"
}

for_each_user statuses
for_each_user usage
for_each_user surroundings
for_each_user dry_run
done_testing
