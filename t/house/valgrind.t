#!/usr/bin/env bash
# The unit tests under valgrind, on the build that is tested: its compiler, its optimization.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

cd "$SCOPEFS_BUILDDIR" || exit
ok "the unit tests are built" test -x t/unit/common || done_testing
for test in t/unit/*; do
    # limits uses up memory on purpose, reference compares for minutes, threads has its own test.
    [[ -x $test && -f $test && ! $test =~ /(decide|limits|reference|patterns_no_jit|garbage)$ ]] || continue
    ok "$test" valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect \
        --error-exitcode=9 "$test"
done
done_testing
