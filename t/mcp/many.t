#!/usr/bin/env bash
# Many clients on many scopes at once over HTTP. SCOPEFS_TEST_CLIENTS=100, as make check-long has it, makes
# that a minute of so many on twenty scopes.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/mcp/common.sh"

new_workdir
cd "$workdir" || exit
if [[ ${SCOPEFS_TEST_CLIENTS:-} ]]; then
    make_scopes s{01..20}
    python_test many.py "$SCOPEFS_TEST_CLIENTS" 60
else
    make_scopes s{1..4}
    python_test many.py 16 2
fi
unlike "nothing stays mounted" "$(</proc/self/mountinfo)" "\.exec-s[0-9]*-$TEST_NUMBER-"
done_testing
