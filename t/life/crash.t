#!/usr/bin/env bash
# Whatever is killed, at whatever moment: the next gc or up leaves nothing mounted, running or on disk.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
enter_own_world

# Of how many moments each crash is tried, from the first to the last of an undisturbed run.
export TEST_MOMENTS=${SCOPEFS_CRASH_MOMENTS:-8}


make_scopes() {
    mkdir -p source m
    echo text >source/file
    write_config <<'END'
[scope crash-a]
source = source
mount  = m/a
default = read
[scope crash-b]
source = source
mount  = m/b
default = read
[scope crash-c]
source = source
mount  = m/c
default = read
END
}

# The processes that have the work folder in their command lines, the oldest first: scopefs and
# scopefs-exec by the configuration, bwrap and what runs in it by the command.
own_processes() {
    # By a file, so that grep does not find itself.
    printf '%s\n' "$workdir" >"$workdir/.pattern"
    (cd "$workdir" && grep -lsFf .pattern /proc/[0-9]*/cmdline) |
        grep -vFx -e "/proc/$$/cmdline" -e "/proc/$BASHPID/cmdline" | tr -cd '0-9\n' | sort -n
}

what_is_left() {
    local process
    for process in $(own_processes); do
        echo "process $process of $(awk '/^(State|PPid)/ { print $2 }' "/proc/$process/status" | paste -sd' '):" \
            "$(tr '\0' ' ' <"/proc/$process/cmdline")"
    done 2>/dev/null
    test_mounts_below "$workdir" | tr '\0' '\n' | sed 's/^/mount /'
    test_mounts_below "$(runtime_folder)" | tr '\0' '\n' | sed 's/^/mount /'
    find "$(runtime_folder)" -mindepth 1 ! -name '.*.log' ! -name '.*.audit*' ! -name .run 2>/dev/null
    find m -mindepth 1 2>/dev/null
}

nothing_is_left() { [[ -z $(what_is_left) ]]; }

microseconds() { echo "${EPOCHREALTIME/./}"; }

# Sets $duration to what the command takes when nobody disturbs it.
measure() { # COMMAND...
    local start
    start=$(microseconds)
    "$@" >/dev/null 2>&1
    duration=$(($(microseconds) - start))
}

# When it dies is not to the microsecond, and need not be: that every moment is as good is the point.
let_run() { # MICROSECONDS
    local end=$(($(microseconds) + $1))
    while ((${EPOCHREALTIME/./} < end)); do :; done
}

# Kills one of the processes, or all: the oldest, the newest and all by turns.
kill_some() { # NUMBER
    local processes
    mapfile -t processes < <(own_processes)
    ((${#processes[@]})) || return 0
    case $(($1 % 3)) in
    0) kill -KILL "${processes[0]}" ;;
    1) kill -KILL "${processes[-1]}" ;;
    2) kill -KILL "${processes[@]}" ;;
    esac 2>/dev/null
}

survives_up_and_down() {
    make_scopes
    local duration number moment action job failed=()
    for action in up down; do
        scopefs down -c "$config" >/dev/null
        [[ $action == up ]] || scopefs up -c "$config" >/dev/null
        measure scopefs "$action" -c "$config"
        for ((number = 0; number < TEST_MOMENTS; number++)); do
            scopefs down -c "$config" >/dev/null
            [[ $action == up ]] || scopefs up -c "$config" >/dev/null
            moment=$((duration * number / TEST_MOMENTS))
            scopefs "$action" -c "$config" >/dev/null 2>&1 &
            job=$!
            let_run "$moment"
            kill_some "$number"
            wait "$job" 2>/dev/null
            # What was half way may still come up for a moment.
            wait_for 'scopefs up -c "$config" >up.out 2>&1 && [[ $(cat m/{a,b,c}/file 2>/dev/null) == text$'"'\n'"'text$'"'\n'"'text ]]' ||
                failed+=("$action: up after $moment us: $(cat up.out)")
            wait_for 'scopefs down -c "$config" >down.out 2>&1' ||
                failed+=("$action: down after $moment us: $(cat down.out)")
            scopefs gc >/dev/null
            wait_for nothing_is_left 60 || failed+=("$action: left after $moment us: $(what_is_left)")
        done
        is "killed at $TEST_MOMENTS moments of $action, the next up works and leaves nothing" "${failed[*]}" ""
        failed=()
    done
}

survives_death_of_daemons() {
    make_scopes
    local number failed=() process
    for ((number = 0; number < 3; number++)); do
        scopefs up -c "$config" >/dev/null
        # Server and supervisor of a view have the same command line as the others.
        kill_some "$number"
        wait_for 'scopefs gc >/dev/null; scopefs down -c "$config" >/dev/null 2>&1 && nothing_is_left' 60 ||
            failed+=("$number: $(what_is_left)")
    done
    is "daemons killed in use: gc and down leave nothing" "${failed[*]}" ""
    for process in pid server_pid; do
        scopefs up -c "$config" >/dev/null
        exec 9<m/a/file
        kill -KILL "$(scopefs ps --json crash-a | sed -nE "s/.*\"$process\":([0-9]+).*/\1/p")"
        wait_for '[[ $(scopefs ps --json crash-a) == *"\"state\":\"dead\""* ]]'
        ok "gc while a file of a dead view is open ($process)" scopefs gc
        is "the others serve on" "$(cat m/b/file m/c/file)" $'text\ntext'
        exec 9<&-
        ok "up brings it back" eval 'wait_for "scopefs up -c $config"'
        is "and it serves" "$(cat m/a/file)" text
        ok "down" scopefs down -c "$config"
        ok "leaves nothing" wait_for nothing_is_left 60 || diag "$(what_is_left)"
    done
}

# In the background, with its process id in $helper.
start_sandbox() {
    rm -f out
    scopefs-exec -c "$config" crash-a -- sh -c 'echo up; sleep 1000; :' "$workdir" </dev/null >out 2>/dev/null &
    helper=$!
}

end_sandbox() {
    kill -TERM "$helper" 2>/dev/null
    wait "$helper" 2>/dev/null
}

# The processes of a sandbox by their place: scopefs-exec and its keeper, bwrap's two, the command.
survives_death_of_sandboxes() {
    make_scopes
    scopefs-exec -c "$config" crash-a -- true 2>/dev/null || {
        skip "this host gives ordinary users no user namespaces" "sandboxes"
        return
    }
    local duration number victim processes helper failed=()
    for number in 0 1 2 3 4 5; do
        start_sandbox
        wait_for 'grep -qs up out'
        mapfile -t processes < <(own_processes)
        victim=${processes[number < ${#processes[@]} ? number : -1]}
        kill -KILL "$victim"
        end_sandbox
        wait_for 'scopefs gc >/dev/null; nothing_is_left' 60 ||
            failed+=("process $number of ${processes[*]}: $(what_is_left)")
    done
    is "each process of a running sandbox killed: gc leaves nothing" "${failed[*]}" ""
    failed=()
    measure scopefs-exec -c "$config" crash-a -- true
    for ((number = 0; number < TEST_MOMENTS; number++)); do
        start_sandbox
        let_run $((duration * number / TEST_MOMENTS))
        kill_some "$number"
        end_sandbox
        wait_for 'scopefs gc >/dev/null; nothing_is_left' 60 || failed+=("moment $number: $(what_is_left)")
    done
    is "killed at $TEST_MOMENTS moments of its start: gc leaves nothing" "${failed[*]}" ""
    # The view that is mounted serves on, whatever becomes of a sandbox in it.
    scopefs up -c "$config" crash-a >/dev/null
    start_sandbox
    wait_for 'grep -qs up out'
    kill -KILL "$helper"
    wait "$helper" 2>/dev/null
    is "the scope's view serves on after the death of its sandbox" "$(cat m/a/file)" text
    ok "and can be taken down" eval 'wait_for "scopefs down -c $config"'
    ok "which leaves nothing" wait_for 'scopefs gc >/dev/null; nothing_is_left' 60 || diag "$(what_is_left)"
}

for_each_user survives_up_and_down
for_each_user survives_death_of_daemons
for_each_user survives_death_of_sandboxes

if ((EUID == 0)); then
    new_workdir
    cd "$workdir" || exit
    make_scopes
    chmod -R a+rwX .
    as_user scopefs up -c "$config" crash-a >/dev/null
    process=$(as_user scopefs ps --json crash-a | sed -nE 's/.*"server_pid":([0-9]+).*/\1/p')
    kill -KILL "$process"
    wait_for '! [[ -e /proc/'"$process"' ]]'
    ok "root's gc" scopefs gc
    is "leaves another user's dead view to that user" "$(test_mounts_below "$workdir" | tr '\0' '\n')" "$workdir/m/a"
    ok "gc --all" scopefs gc --all
    like "tells that it takes it away" "$output" "unmounted the dead view .*/m/a"
    is "and does" "$(test_mounts_below "$workdir")" ""
    exits "--all is not for others" 2 as_user scopefs gc --all
    as_user scopefs gc >/dev/null

    # What autofs has there, say: a supervisor takes away its own view and nothing else.
    mkdir place
    mount -t tmpfs below place
    scopefs mount -c "$config" crash-b "$workdir/place"
    umount place
    wait_for '[[ -z $(own_processes) ]]'
    is "a view unmounted by hand leaves what it was mounted on" "$(findmnt -no SOURCE place)" below
    umount place
fi
done_testing
