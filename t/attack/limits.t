#!/bin/bash
# What a view may take of its host: the budget of bytes and files, by every way to grow.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=../posix/common.sh
. "${0%/*}/../posix/common.sh"

free_bytes() { echo $(($(stat -f -c '%a * %S' "$view"))); }
free_files() { stat -f -c %d "$view"; }
fill() { # NAME KIB: how many KiB could be written
    dd if=/dev/zero of="$1" bs=1K count="$2" 2>/dev/null
    echo $(($(stat -c %s "$1") / 1024))
}
gone() { wait_for "[[ \$(free_bytes) == $1 ]]" && pass "$2"; }

body() {
    mkdir source
    dd if=/dev/zero of=source/old bs=1K count=512 2>/dev/null
    write_config <<END
[scope small]
source = source
quota  = 1M
inodes = 8
[rules small]
write = /
END
    mount_view small || return
    cd "$view" || return

    is 'a file grows to the quota and no further' "$(fill new 2048)" 1024
    is 'statfs tells that nothing is left' "$(free_bytes)" 0
    fails 'one byte more is refused' dd if=/dev/zero of=new bs=1 count=1 oflag=append conv=notrunc
    like 'with ENOSPC' "$errors" 'No space left on device'
    fails 'also in another file' sh -c 'printf x >other'
    ok 'what is there can be overwritten' dd if=/dev/zero of=new bs=1K count=1024 conv=notrunc
    fails 'truncate grows nothing' truncate -s 2M new
    fails 'fallocate grows nothing' fallocate -l 2M new
    fails 'not even behind the end' fallocate -n -o 1M -l 1K new
    fails 'a copy grows nothing' cp old copy
    ok 'shrinking' truncate -s 512K new
    is 'gives back' "$(free_bytes)" $((512 * 1024))
    exec {held}<new
    rm new
    is 'removing gives nothing back while the file is open' "$(free_bytes)" $((512 * 1024))
    exec {held}<&-
    gone $((1024 * 1024)) 'but when the last one closes it'
    : >other
    for writer in 1 2 3 4 5 6 7 8; do
        dd if=/dev/zero of="race" bs=4K count=512 seek=$((writer * 8)) conv=notrunc 2>/dev/null &
        (for turn in 1 2 3 4 5; do truncate -s "$((turn * 16))K" race; done) &
    done
    wait
    ok 'writers and truncations that race stay within it' \
        test "$(stat -c %s race)" -le $((1024 * 1024))
    is 'and the account is right afterwards' "$(free_bytes)" \
        $((1024 * 1024 - $(stat -c %s race) / 4096 * 4096))
    rm -f race other copy
    gone $((1024 * 1024)) 'all is given back'

    fill keep 400 >/dev/null
    fill linked 500 >/dev/null
    ln linked twin
    exec {held}<linked {other}<twin
    rm linked twin
    exec {held}<&-
    is 'a file that is open by one of its lost names is given back neither' "$(free_bytes)" \
        $((124 * 1024))
    exec {other}<&-
    gone $((624 * 1024)) 'and once only, however many names it had'
    is 'so that no more fits than before' "$(fill again 1024)" 624
    rm keep again
    gone $((1024 * 1024)) 'all is given back'

    wait_for "[[ \$(free_files) == 8 ]]"
    ok 'as many files as there may be' sh -c 'mkdir d && touch a b c && ln -s a s && mkfifo f'
    ok 'a hard link is no file more' ln a hard
    ok 'two are left' touch e g
    fails 'a ninth is refused' touch h
    fails 'also as a directory' mkdir h
    fails 'and as a symlink' ln -s a h
    ok 'removing' rm -r d
    wait_for "[[ \$(free_files) == 1 ]]"
    ok 'makes room' touch h
    rm -f hard
    is 'but not one of two names of a file' "$(free_files)" 0
    cd - >/dev/null || return
    unmount_view
    for wrong in 'quota = 0' 'quota = 1X' 'quota = 99999999T' 'inodes = -1' 'inodes = 3K'; do
        printf '[scope s]\nsource = source\n%s\n' "$wrong" >wrong.ini
        exits "'$wrong' is an error" 1 scopefs check wrong.ini
    done
}

nodes_of() { counters "$1" | sed -nE 's/^nodes=([0-9]+).*/\1/p'; }

memory_of() { scopefs ps --json | grep -F "\"$1\"" | sed -nE 's/.*"memory_kib":([0-9]+).*/\1/p'; }

# The memory and the descriptors of a view's server.
exhaust() {
    mkdir -p source/large
    touch source/f source/hidden
    (cd source/large && seq -f '%0250.0f' 2000 | xargs touch)
    write_config <<END
[scope spent]
source = source
cache  = none
[rules spent]
write = /
none  = hidden
END
    mount_view spent || return
    drive "$TEST_EXHAUST" listings "$view"
    ok "which takes the server no memory for each" test "$(memory_of "$view")" -lt "$TEST_MEMORY"
    unmount_view
    mkdir -p views/few
    run bash -c 'ulimit -n 256; exec scopefs mount -c "$1" spent views/few' - "$config"
    drive "$TEST_EXHAUST" descriptors "$PWD/views/few"
    wait_for '[[ $(counters "$PWD/views/few") == *"handles=0 lock_owners=0 lock_waiters=0"* ]]' &&
        pass "nothing is left of it"
    unmount_view "$PWD/views/few"
}

# What the kernel forgets is forgotten: when it needs the memory, the server gives up its own.
forgets() {
    mkdir -p source/many
    (cd source/many && seq 5000 | xargs touch)
    write_config <<END
[scope many]
source = source
[rules many]
write = /
END
    mount_view many || return
    find "$view" -type f -newermt 1970-01-02 | wc -l >seen
    # Others on this host may make the kernel forget, too.
    ok "what was looked at is known" test "$(nodes_of "$view")" -gt 1000
    wait_for 'echo 2 >/proc/sys/vm/drop_caches; (($(nodes_of "$view") < 100))' 30
    ok "and forgotten" test "$(nodes_of "$view")" -lt 100
    unmount_view
}

TEST_EXHAUST=$(attack_program exhaust)
export TEST_EXHAUST
# In KiB. Sanitizers keep what was freed for a while.
TEST_MEMORY=65536
! is_sanitized || TEST_MEMORY=262144
export TEST_MEMORY
for_each_user body
for_each_user exhaust
if ((EUID == 0)); then
    new_workdir
    cd "$workdir" || exit
    forgets
    cd / || exit
fi
done_testing
