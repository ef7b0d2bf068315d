#!/usr/bin/env bash
# What depends on the system's libraries, on the next Debian, where the kernel reads and writes files of
# root's views by itself: the core of t/roots/inside, whose words are told when something fails.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
((EUID == 0)) || skip_all "only root can make and enter a root"
skip_when_late

next_debian() {
    local root=$SCOPEFS_SRCDIR/t/roots/root log=$workdir/log line count=0
    ok "the next Debian is there, from its mirror if need be" timeout 1500 "$root" trixie make || return
    SCOPEFS_ROOTS_CONFIGURE=--enable-passthrough-by-default timeout 1500 "$root" trixie check core >"$log" 2>&1
    status=$?
    while read -r line; do
        case $line in
        *' ok '*) pass "${line%% *}" ;;
        *) flunk "${line%% *}" ;;
        esac
        count=$((count + 1))
    done < <(sed -nE 's|^\[[0-9:]+\] (/work/tree/)?(t/[^ ]+ \.+)|\2|p' "$log")
    ok "its tests were run" test "$count" -gt 30
    is "and pass: $(sed -n 's/^Files=/files /p' "$log")" "$status" 0 && return
    # All that CI's reader sees of it.
    sed -n '/^Test Summary Report/,$p' "$log" | sed 's/^/# /' >&2
    grep -vE '^\[.* ok +[0-9]+ ms|^  (CC|CCLD|GEN|AR) ' "$log" | tail -n 300 | sed 's/^/# /' >&2
}

test_run_body next_debian
done_testing
