#!/usr/bin/env bash
# What a mount does for a path is what explain says of it: random rules over random trees, each path
# looked at, listed, opened for reading and for writing, and created. TEST_SEED repeats a run,
# TEST_ROUNDS makes it longer.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

export TEST_SEED=${TEST_SEED:-$SRANDOM} TEST_ROUNDS=${TEST_ROUNDS:-15} TEST_PROBE
TEST_PROBE=$(shared_copy "$SCOPEFS_SRCDIR/t/e2e/equivalence.pl")

mount_does_what_explain_says() {
    local round seed
    for ((round = 0; round < TEST_ROUNDS; round++)); do
        seed=$((TEST_SEED + round))
        rm -rf round
        mkdir -p round/view
        perl "$TEST_PROBE" generate "$seed" round
        xargs -0 scopefs explain --json -c round/scopefs.ini random <round/paths >round/answers
        run scopefs mount -c round/scopefs.ini random round/view
        if ((status != 0)); then
            flunk "seed $seed: mounts"
            test_diag_run
            diag "$(cat round/scopefs.ini)"
            continue
        fi
        run perl "$TEST_PROBE" compare round
        if ! is "seed $seed: every path behaves as explained" "$status:$output" "0:"; then
            diag "$errors"
            diag "$(cat round/scopefs.ini)"
        fi
        unmount_view round/view
    done
}

for_each_user mount_does_what_explain_says
done_testing
