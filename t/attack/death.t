#!/bin/bash
# The processes of a view are killed at any moment: then it answers ENOTCONN, never the bare source, it
# can be mounted again at the same place, and what ran on it writes nowhere else.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

write_scope() {
    mkdir -p source
    echo here >source/f
    write_config <<END
[scope mortal]
source = source
mount = view
[rules mortal]
write = /
END
    view=$workdir/view
}

# The supervisors of the scope's views: the one that is mounted here, and those that commands have of
# their own. Process ids come again, so they have to be of this test.
supervisors() {
    local file pid
    for file in "$(runtime_folder)"/.run/*[0-9]; do
        pid=$(sed -n 's/^pid = //p' "$file")
        tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qF "$config" && echo "$pid"
    done 2>/dev/null
}

children_of() {
    pgrep -P "$1"
}

mount_count() {
    grep -c " $view " /proc/self/mountinfo
}

# Which of the two processes dies changes from round to round.
victims_of_round() {
    local supervisor
    supervisor=$(supervisors)
    case $(($1 % 3)) in
    0) children_of "$supervisor" ;;
    1) echo "$supervisor" ;;
    2) echo "$supervisor" && children_of "$supervisor" ;;
    esac
}

deaths() {
    local round victims rounds=${SCOPEFS_TEST_DEATHS:-25} operations wrong=()
    write_scope
    RANDOM=${SCOPEFS_TEST_SEED:-1}
    for ((round = 0; round < rounds && ${#wrong[@]} == 0; round++)); do
        run scopefs mount -c "$config" mortal
        ((status == 0)) || wrong+=("round $round: mount: $errors")
        [[ $(cat "$view/f") == here ]] || wrong+=("round $round: the view does not work")
        (($(mount_count) == 1)) || wrong+=("round $round: $(mount_count) mounts")
        mapfile -t victims < <(victims_of_round "$round")
        operations=$((1 + RANDOM % 1000))
        run "$TEST_LOAD" "$view" "$operations" "${victims[@]}"
        ((status == 0)) || wrong+=("round $round: load ended with $status: $errors")
        wait_for '[[ $(stat "$view/f" 2>&1) == *"endpoint is not connected"* ]]' ||
            wrong+=("round $round: after the end the file can be looked at")
        run ls -A "$view"
        [[ -z $output && $errors == *"endpoint is not connected"* ]] ||
            wrong+=("round $round: after the end the view lists: $output$errors")
    done
    is "killed $rounds times under load, every operation fails from then on as on a dead connection" \
        "$(printf '%s\n' "${wrong[@]}")" ""
    ok "the view is mounted again at the same place" scopefs mount -c "$config" mortal
    is "and works" "$(cat "$view/f")" here
    ok "it is unmounted" scopefs umount "$view"
    run sh -c "ls -A '$view' 2>/dev/null"
    is "and nothing was written in its place meanwhile" "$output" ""
    unlike "an unmounted view ended in order" "$(tail -n 2 "$(runtime_folder)/.mortal.log")" \
        "ended by signal|error"
}

# A command in a sandbox, while the server of its view is killed.
sandbox() {
    local round wrong=() command supervisor
    write_scope
    for ((round = 0; round < 3; round++)); do
        rm -f source/started
        run scopefs mount -c "$config" mortal
        ((status == 0)) || wrong+=("round $round: mount: $errors")
        timeout 30 scopefs exec -c "$config" mortal -- sh -c 'echo started >started
            while echo line >>written; do :; done 2>/dev/null
            cat f && echo still here
            echo elsewhere >elsewhere
            echo ended' >output 2>errors </dev/null &
        command=$!
        wait_for '[[ -s source/started ]]' || diag "$(<errors)"
        while read -r supervisor; do
            # shellcheck disable=SC2046 # numbers
            kill -KILL $(children_of "$supervisor")
        done < <(supervisors)
        wait "$command"
        status=$?
        ((status != 124)) || wrong+=("round $round: the command did not end")
        [[ $(<output) == ended || -z $(<output) ]] || wrong+=("round $round: $(<output)")
        [[ ! -e source/elsewhere ]] || wrong+=("round $round: it still wrote to the source")
        scopefs umount "$view"
        [[ -z $(ls -A "$view" 2>/dev/null) ]] || wrong+=("round $round: it wrote below the view")
    done
    is "a sandbox whose view dies reads and writes nothing more" \
        "$(printf '%s\n' "${wrong[@]}")" ""
}

TEST_LOAD=$(attack_program load)
export TEST_LOAD
for_each_user deaths
for_each_user sandbox
done_testing
