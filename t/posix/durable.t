#!/usr/bin/env bash
# Nothing that was written is lost: sync reaches the source's disk, errors come where the write is, and
# a server that is killed takes nothing with it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# --- The disk of the source, which only root can make ---

# How often the source's disk was told to write its cache out.
flushes() {
    local device
    device=$(findmnt -no SOURCE "$source")
    read -r -a numbers <"/sys/block/${device##*/}/stat"
    echo "${numbers[15]}"
}

sync_reaches_disk() {
    local step next before after
    make_disk 16 || return
    mount_two || return
    coproc steps { "$TEST_POSIX/durable" sync "$one/file"; }
    local in=${steps[0]} out=${steps[1]}
    read -r -u "$in" step
    while [[ $step != end ]]; do
        before=$(flushes)
        printf x >&"$out"
        # It says what comes next when this is done.
        read -r -u "$in" next || break
        after=$(flushes)
        if [[ $step == write ]]; then
            is "write alone tells the disk nothing" "$((after - before))" 0
        else
            ok "$step reaches the disk" test "$after" -gt "$before"
        fi
        step=$next
    done
    printf x >&"$out"
    # shellcheck disable=SC2154 # coproc sets it
    wait "$steps_PID"
    is "and all of it succeeds" "$?:$step" 0:end
}

# What the manual says of it: FUSE does not pass it on, so it tells of nothing.
whole_sync() {
    local before
    make_disk 16 || return
    mount_two || return
    echo text >"$one/file"
    before=$(flushes)
    ok "syncfs succeeds" sync --file-system "$one/file"
    is "and does not reach the disk" "$(flushes)" "$before"
    ok "as it does natively" sync --file-system "$source/file"
    ok "which shows" test "$(flushes)" -gt "$before"
}

full_disk() {
    make_disk 8 -m 0 || return
    mount_two || return
    results_of durable fill "$one/file"
    rm "$one/file"
    # What the kernel writes by itself is mapped as natively: there is no page to write to.
    passes_through "$one" || results_of durable mapped "$one/file"
}

no_more_inodes() {
    make_disk 8 -N 32 || return
    mount_two || return
    run perl -e 'for (1..64) { open my $file, ">", "$ARGV[0]/$_" or die $!{ENOSPC} ? "ENOSPC" : $! }' \
        "$one"
    like "a disk without inodes left gives ENOSPC for a new file" "$errors" ^ENOSPC
    fails "and for a new folder" mkdir "$one/folder"
    rm "$one/1"
    ok "until one is free again" touch "$one/again"
}

over_quota() {
    mkdir -p source
    truncate -s 128M disk
    # Its quota needs nothing that kernels may lack.
    mkfs.btrfs -q disk 2>/dev/null && mount -o loop disk source && btrfs quota enable source &&
        btrfs qgroup limit 1M 0/5 source || return
    mount_two || return
    results_of durable quota "$one/file"
}

# --- A server that is killed ---

killed_server() {
    local server
    mount_two || return
    "$TEST_POSIX/durable" count "$one/numbers" >written &
    local writer=$!
    wait_for '[[ $(wc -l 2>/dev/null <written) -gt 300 ]]'
    server=$(server_of "$one")
    kill -KILL "$server"
    wait "$writer"
    like "killed server: who writes is told" "$(tail -n 1 written)" '^(ENOTCONN|ECONNABORTED)$'
    sed -i '$d' written
    is "killed server: what was written is in the source, $(wc -l <written) numbers" \
        "$(head -n "$(wc -l <written)" source/numbers | cmp - written 2>&1)" ''
    fails "killed server: the view answers nothing" ls "$one"
    like "killed server: and says so" "$errors" 'not connected'
    ok "killed server: another view of the source is not harmed" cat "$other/numbers"
    ok "killed server: it is mounted again over the dead one" \
        scopefs mount --source source --rule write=/ "$one"
    ok "killed server: and shows what was written" cmp "$one/numbers" source/numbers
}

for_each_user killed_server
if ((EUID == 0)); then
    test_run_body sync_reaches_disk
    test_run_body whole_sync
    test_run_body full_disk
    test_run_body no_more_inodes
    test_run_body over_quota
else
    skip "started by an ordinary user" "disks of its own"
fi
done_testing
