#!/usr/bin/env bash
# scopefs-mcp over HTTP: who may use it, sessions, streams, and what is malformed.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

over_http() {
    make_scopes one two three
    python_test transport.py
    unlike "nothing stays mounted" "$(</proc/self/mountinfo)" "\.exec-(one|two|three)-$TEST_NUMBER-"
}

for_each_user over_http
done_testing
