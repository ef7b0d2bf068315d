#!/usr/bin/env bash
# The protocol of scopefs-mcp over standard input and output.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

protocol() {
    make_scope </dev/null
    python_test protocol.py
    fails "a scope that is not there is not served" scopefs-mcp -c "$config" nothing
    like "and those there are are named" "$errors" "$scope"
    exits "a wrong command line is a usage error" 2 scopefs-mcp
    unlike "nothing stays mounted" "$(</proc/self/mountinfo)" "\.exec-$scope-"
}

for_each_user protocol
done_testing
