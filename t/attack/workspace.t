#!/bin/bash
# The first program in a sandbox: it goes on only in the very view that was meant. Between the look at a
# view and its place in the sandbox, another thing may have come there.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

start_in() { # FOLDER DEVICE
    "$TEST_STAGE2" --device="$2" --workspace="$1" --workdir="$1" -- /bin/echo started
}

body() {
    mkdir -p source plain
    write_config <<END
[scope meant]
source = source
[rules meant]
read = /
[scope other]
source = source
[rules other]
write = /
END
    mount_view meant other || return
    local meant=$workdir/views/meant other=$workdir/views/other device
    device=$(stat -c %Hd:%Ld "$meant")
    ok "a command starts in its view" start_in "$meant" "$device"
    is "and is run" "$output" started
    exits "not in another view of the same source" 125 start_in "$other" "$device"
    like "which is said" "$errors" "not the view that was meant"
    exits "nor where there is none any more" 125 start_in "$workdir/plain" "$device"
    exits "nor on the bare source, were it of that number" 125 start_in "$workdir/source" \
        "$(stat -c %Hd:%Ld source)"
    unmount_view "$meant"
    exits "nor after the view has ended" 125 start_in "$meant" "$device"
    unmount_view "$other"
}

TEST_STAGE2=$(shared_copy "$SCOPEFS_BUILDDIR/scopefs-stage2")
export TEST_STAGE2
for_each_user body
done_testing
