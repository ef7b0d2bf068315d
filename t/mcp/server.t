#!/usr/bin/env bash
# The life of scopefs-mcp over HTTP: limits, what is idle, new tokens, sockets, TLS, deaths, the end.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

lives() {
    make_scopes one two three
    python_test server.py
    unlike "nothing stays mounted" "$(</proc/self/mountinfo)" "\.exec-(one|two|three)-$TEST_NUMBER-"
}

for_each_user lives
done_testing
