#!/usr/bin/env bash
# The file tools of scopefs-mcp.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

tools() {
    make_scope </dev/null
    python_test tools.py
}

for_each_user tools
done_testing
