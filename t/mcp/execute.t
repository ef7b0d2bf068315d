#!/usr/bin/env bash
# Commands that are run through scopefs-mcp.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

commands() {
    make_scope <<END
[exec mcp-$$]
deny = rm
ask  = touch
END
    python_test execute.py
}

for_each_user commands
done_testing
