#!/usr/bin/env bash
# The demo keeps its promises, and leaves nothing behind, even when it is interrupted.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

export TEST_QUICKSTART
TEST_QUICKSTART=$(shared_copy "$SCOPEFS_SRCDIR/examples/quickstart")

count_views_below() { test_mounts_below "$1" | tr -dc '\0' | wc -c; }

demo_keeps_its_promises() {
    mkdir tmp
    export TMPDIR=$workdir/tmp
    run "$TEST_QUICKSTART/demo.sh"
    is "the demo ends with 0" "$status" 0 || test_diag_run
    unlike "no promise is broken" "$output" 'BROKEN PROMISE'
    unlike "no colour when not on a terminal" "$output" $'\e'
    like "commands are shown with a prompt" "$output" 'agent \$ git status'
    is "nothing is said on standard error" "$errors" ''
    is "no view is left mounted" "$(count_views_below "$TMPDIR")" 0
    is "no file is left" "$(ls -A "$TMPDIR")" ''
}

# The signal comes at a different place each time: with the view mounted, and in the sandbox.
interrupted_demo_cleans_up() {
    mkdir tmp
    export TMPDIR=$workdir/tmp
    local signal prompt pid
    for signal in TERM HUP; do
        for prompt in 'agent \$ make' 'host \$ scopefs exec'; do
            : >session
            "$TEST_QUICKSTART/demo.sh" >session 2>&1 &
            pid=$!
            wait_for 'grep -q "$prompt" session || ! kill -0 $pid 2>/dev/null' 60
            kill -"$signal" "$pid"
            wait "$pid"
            status=$?
            is "SIG$signal at '$prompt' ends the demo with 128+n" "$status" \
                "$((128 + $(kill -l "$signal")))" || diag "$(cat session)"
            is "and no view is left mounted" "$(count_views_below "$TMPDIR")" 0
            is "and no file" "$(ls -A "$TMPDIR")" ''
            rm session
        done
    done
}

for_each_user demo_keeps_its_promises
for_each_user interrupted_demo_cleans_up
done_testing
