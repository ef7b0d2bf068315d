#!/usr/bin/env bash
# The tests with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer built in.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

ok "it builds" build_variant build --enable-sanitizers=address,undefined CFLAGS='-O1 -g' || done_testing
# Without those that measure, that install, or that run other people's programs for minutes. CI has the
# parsers, each attack, and of each kind of work one test that sees most of it.
chosen='/(bench|install|library|locks|tools|npm|packages|pjdfstest)\.t$'
if is_whole; then
    mapfile -t tests < <(tests_of build | grep -vE "$chosen")
else
    mapfile -t tests < <(tests_of build | grep -vE "$chosen|/unit/(garbage|limits|reference)$" |
        grep -E '/(unit|fuzz|attack)/|/(cli|commands|durable|handles|permissions|refusals|session|watch|protocol|audit|up)\.t$')
fi
passes "the tests pass" build "${tests[@]}"
done_testing
