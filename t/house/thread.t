#!/usr/bin/env bash
# What runs in many threads, with ThreadSanitizer built in: a server with a data race ends, and its view
# with it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

ok "it builds" build_variant build --enable-sanitizers=thread CFLAGS='-O1 -g' || done_testing
# CI has what races on purpose.
chosen='/(threads|library)$|/attack/(aliases|reload|passthrough)\.t$|/posix/(handles|watch)\.t$|/life/audit\.t$'
is_whole && chosen+='|/attack/|/life/up\.t$|/posix/(coherence|durable)\.t$|/e2e/cli\.t$'
mapfile -t tests < <(tests_of build | grep -E "$chosen" | grep -vE '/(death|table)\.t$')
passes "no data race is seen" build "${tests[@]}"
done_testing
