#!/bin/bash
# What a command may use up, and how its end is told. Root has control groups here, an ordinary user
# the lesser limits of each process.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

limited() { # SETTING...
    make_project
    printf '\n[exec %s]\n' "$scope" >>"$config"
    printf '%s\n' "$@" >>"$config"
}

# Control groups whose command is gone, beside those that were there before: others may run commands on
# this host, and have them killed, too.
groups_left() {
    local group
    find /sys/fs/cgroup -name "scopefs-exec-*" | grep -vxF "$TEST_GROUPS_BEFORE" |
        while read -r group; do
            [[ -d /proc/${group##*-} ]] || echo "$group"
        done
}
TEST_GROUPS_BEFORE=${TEST_GROUPS_BEFORE-none$'\n'$(find /sys/fs/cgroup -name "scopefs-exec-*")}
export TEST_GROUPS_BEFORE

# Whether the host gives this user a control group.
has_groups() {
    limited 'memory = 1G' 'pids = 100' 'limits = strict'
    run in_sandbox true
    ((status == 0))
}

memory() {
    local glutton='$x = "x" x 200_000_000; print length $x'
    if has_groups; then
        limited 'memory = 50M'
        run in_sandbox perl -e "$glutton"
        is "more memory than allowed ends a command" "$status $output" "137 "
        like "as out of memory" "$errors" "out of memory: .* limit of 52428800 bytes"
        run sandbox_shell "perl -e '$glutton'; echo still here"
        is "a command may outlive its child's end" "$status $output" "0 still here"
        like "which is told" "$errors" "out of memory"
        run scopefs-exec -c "$config" --json "$scope" perl -e "$glutton"
        like "so it is in JSON" "$output" '"signal":9,.*"out_of_memory":true'
        exits "temporary files count too" 137 sandbox_shell 'cat /dev/zero >/tmp/fill'
    else
        limited 'memory = 50M'
        run in_sandbox perl -e "$glutton"
        fails "without a control group each process is held" in_sandbox perl -e "$glutton"
        like "which is told" "$errors" "no control group to hold memory"
        limited 'memory = 50M' 'limits = strict'
        exits "limits = strict refuses that" 125 in_sandbox true
        like "with the mend" "$errors" "no control group to hold memory; .*systemd-run"
        limited 'memory = 50M'
    fi
    exits "little memory is enough for little" 0 in_sandbox true
    is "no control group is left" "$(groups_left)" ""
}

processes() {
    limited 'pids = 10'
    run sandbox_shell 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo all'
    unlike "more processes than allowed are not made" "$output" all
    like "which the command is told" "$errors" "[Ff]ork"
    run sandbox_shell 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait; echo all'
    is "as many as allowed are" "$output" all
    is "no control group is left" "$(groups_left)" ""
}

processor() {
    limited 'cpu = 20%'
    run scopefs-exec -c "$config" --json "$scope" perl -e '$i++ while time - $^T < 2'
    if ((EUID == 0)); then
        ok "processor time is held" perl -e \
            '$ARGV[0] =~ /"duration":([\d.]+),"cpu_time":([\d.]+)/ && $2 < 0.5 * $1 || die' "$output"
    else
        like "that processor time is not held is told" "$errors" "cpu not at all"
    fi
}

files() {
    limited 'file-size = 1M' 'open-files = 200' 'tmp-size = 2M'
    exits "a file longer than allowed ends its writer by SIGXFSZ" 153 \
        sandbox_shell 'exec head -c 2M /dev/zero >output/long'
    is "it has the length that is allowed" "$(stat -c %s source/output/long)" 1048576
    run sandbox_shell 'ulimit -Hn; ulimit -n'
    is "open files are limited for good" "$output" "200
200"
    for place in /tmp /var/tmp /dev/shm /home/agent /run; do
        run sandbox_shell "for i in 1 2 3; do head -c 1M /dev/zero >$place/\$i || exit 9; done"
        is "$place holds no more than allowed" "$status" 9
    done
    fails "/dev holds nothing" sandbox_shell 'echo x >/dev/x'
    exits "a limit that is lower already stays" 0 bash -c \
        'ulimit -n 100 && exec scopefs-exec -c "$0" "$1" sh -c "test \$(ulimit -n) = 100"' "$config" "$scope"
}

killing() {
    limited 'timeout = 100ms' 'kill-after = 100ms'
    local start=${EPOCHREALTIME/./}
    exits "a command that ignores SIGTERM ends" 124 sandbox_shell "trap '' TERM; while :; do sleep 5; done"
    ok "after kill-after" test $((${EPOCHREALTIME/./} - start)) -lt 1900000
}

swept() {
    ((EUID == 0)) || return
    has_groups || return
    local job
    scopefs-exec -c "$config" "$scope" sleep "984$$" >/dev/null 2>&1 &
    job=$!
    wait_for 'pgrep -xf "sleep 984$$" >/dev/null'
    ok "a running command has a group" test -n "$(find /sys/fs/cgroup -name "scopefs-exec-$job")"
    kill -KILL "$job"
    wait "$job" 2>/dev/null
    wait_for '! pgrep -xf "sleep 984$$" >/dev/null'
    ok "the next command" in_sandbox true
    is "removes what a killed one has left" "$(groups_left)" ""
}

for_each_user memory
for_each_user processes
for_each_user processor
for_each_user files
for_each_user killing
for_each_user swept
done_testing
