#!/usr/bin/env bash
# The tests with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer built in.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

ok "it builds" build_variant build --enable-sanitizers=address,undefined CFLAGS='-O1 -g' || done_testing
# Without those that measure, that install, or that run other people's programs for minutes.
mapfile -t tests < <(tests_of build | grep -vE '/(bench|install|library|locks|tools|npm|packages|pjdfstest)\.t$')
passes "the tests pass" build "${tests[@]}"
done_testing
