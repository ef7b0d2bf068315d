#!/usr/bin/env bash
# The picture in README.md shows what really happens.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

new_workdir
cd "$workdir" || exit
ok "the picture is drawn" "$SCOPEFS_SRCDIR/examples/quickstart/picture.py"
cp .stdout now.svg
ok "it is the one in the tree; else make that anew, as picture.py says" \
    diff "$SCOPEFS_SRCDIR/examples/quickstart/session.svg" now.svg
done_testing
