#!/usr/bin/env bash
# What runs in many threads, with ThreadSanitizer built in: a server with a data race ends, and its view
# with it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

ok "it builds" build_variant build --enable-sanitizers=thread CFLAGS='-O1 -g' || done_testing
mapfile -t tests < <(tests_of build | grep -E '/(threads|library)$|/attack/|/life/(audit|up)\.t$' |
    grep -vE '/(death|table)\.t$')
mapfile -t -O "${#tests[@]}" tests < <(tests_of build | grep -E '/posix/(coherence|handles|watch|durable)\.t$|/e2e/cli\.t$')
passes "no data race is seen" build "${tests[@]}"
done_testing
