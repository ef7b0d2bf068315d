#!/bin/bash
# A view whose files the kernel opens without asking keeps its rules as well: what a mode does not
# refuse is refused with each read and write.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

levels() {
    mkdir -p source/outside source/outside/folder
    echo kept >source/outside/file
    write_config <<END
[scope table]
source = source
cache = exclusive
[rules table]
write = /arena/
write = /outside/
view  = /arena/*/in-view/
read  = /arena/*/in-read/
none  = /arena/*/in-way/
none  = /arena/*/*/none-*
view  = /arena/*/*/view-*
read  = /arena/*/*/read-*
write = /arena/*/*/write-*
none  = /arena/*/*/way-*
read  = /arena/*/*/way-*/shown
END
    mount_view table || return
    drive "$TEST_TABLE" "$PWD/source" "$view" modes
    unmount_view
}

# Locks that the kernel keeps by itself do not meet the host's.
opens_unasked() { # VIEW SOURCE
    : >"$1/lock"
    flock "$1/lock" flock -n "$2/lock" true
}

# The host breaks the promise, and the agent gets nothing by it.
broken_promise() {
    mkdir -p source/hidden source/shown
    echo secret-1 >source/hidden/file
    echo shown >source/shown/file
    echo kept >source/shown/target
    write_config <<END
[scope broken]
source = source
cache = exclusive
[rules broken]
write = /
none  = /hidden/
END
    mount_view broken || return
    ok "files are opened without asking" opens_unasked "$view" source
    exec {held}<"$view/shown/file" {writes}>>"$view/shown/target"
    mv source/hidden/file source/shown/file
    ok "what the host puts in place of an open file is not read through it" \
        bash -c '! grep secret' <&"$held"
    ln -s ../hidden/new source/shown/link && mv -T source/shown/link source/shown/target
    fails "nor is a link followed that takes its name" bash -c 'echo more >&"$1"' bash "$writes"
    fails "so nothing is made where it leads" test -e source/hidden/new
    mkfifo source/shown/fifo && cat "$view/shown/file" >/dev/null
    exec {late}<"$view/shown/file"
    mv source/shown/fifo source/shown/file
    run timeout 20 cat <&"$late"
    ok "a FIFO that takes its name holds nobody up" test "$status" != 124
    exec {held}<&- {writes}>&- {late}<&-
    unmount_view
}

# All of the agent's own, who knows how to be another root.
root_of_its_own() {
    mkdir -p source
    echo content >source/file
    write_config <<END
[scope own]
source = source
cache = exclusive
[rules own]
view = /
read = /file
END
    cp source/file source/other
    mount_view own || return
    ok "a file that may be read is" cmp "$view/file" source/file
    if unshare -r true 2>/dev/null; then
        fails "root of a user namespace writes no file that may only be read" \
            unshare -r bash -c 'echo more >>"$1"' bash "$view/file"
        fails "empties none" unshare -r bash -c ': >"$1"' bash "$view/file"
        fails "and reads none that may only be seen" unshare -r cat "$view/other"
    else
        skip "no user namespaces for ordinary users here" "root of a user namespace"
    fi
    is "all is as it was" "$(cat source/file source/other)" $'content\ncontent'
    unmount_view
}

race_for_room() {
    mkdir source
    write_config <<END
[scope room]
source = source
default = write
cache = exclusive
quota = 1M
END
    mount_view room || return
    local writer turn
    : >"$view/race"
    for writer in 1 2 3 4 5 6 7 8; do
        dd if=/dev/zero of="$view/race" bs=4K count=512 seek=$((writer * 8)) conv=notrunc 2>/dev/null &
        (for turn in 1 2 3 4 5; do truncate -s "$((turn * 16))K" "$view/race"; done) &
    done
    wait
    ok "writes through many opens stay within the quota" test "$(stat -c %s source/race)" -le 1048576
    is "and are counted" "$(($(stat -f -c '%a * %S' "$view")))" $((1048576 - $(stat -c %s source/race)))
    unmount_view
}

TEST_TABLE=$(attack_program table)
export TEST_TABLE
for body in levels broken_promise root_of_its_own race_for_room; do
    for_ordinary_user "$body"
done
done_testing
