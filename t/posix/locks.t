#!/usr/bin/env bash
# Locks that mean something: flock, record locks and open file description locks exclude each other
# within a view, between two views of one source, and between a view and the host.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

locks_exclude() {
    mount_two || return
    : >source/file
    ln source/file source/hard
    results_of locks "$one" "$one" "in one view"
    results_of locks "$one" "$other" "in two views"
    results_of locks "$one" "$source" "in a view and on the host"
    results_of locks "$source" "$one" "on the host and in a view"
    results_of waiters "$one" "$other"
}

# The shell's own way of locking, one process after the other.
flock_in_turn() {
    mount_two || return
    : >source/lock
    local turn lock refused=0
    for ((turn = 0; turn < 100; turn++)); do
        # Every other time the file is new to the view.
        ((turn % 2)) || { : >"source/lock-$turn" && lock=$one/lock-$turn; }
        flock -n "$lock" true || ((refused++))
    done
    is "flock(1) gets the lock of a process that has just ended" "$refused" 0
    exits "and is refused what another process has" 1 \
        flock "$one/lock" flock -n "$one/lock" true
    exits "also in another view" 1 flock "$one/lock" flock -n "$other/lock" true
    exits "and on the host" 1 flock "$one/lock" flock -n source/lock true
    exits "waiting so long as it says" 1 flock "$one/lock" flock -w 0.2 "$other/lock" true
}

# Each writer reads the number and writes the next one: a lost update shows.
write_numbers() { # PLACE WRITER
    local number
    for ((number = 0; number < TEST_ROWS; number++)); do
        echo "begin immediate;
            insert into entry select $2, $number, 1 + coalesce(max(total), 0) from entry; commit;"
    done | sqlite3 -bail -cmd '.timeout 60000' "$1/$TEST_DATABASE"
}

# SQLite holds a database file by record locks on it.
databases_share() {
    local journal=$1 name=$2 writer=0 jobs=() failed=0 place job
    shift 2
    TEST_DATABASE=$journal.db
    sqlite3 "source/$TEST_DATABASE" "pragma journal_mode = $journal;
        create table entry (writer integer, number integer, total integer, unique (writer, number));" \
        >mode
    for place in "$@"; do
        write_numbers "$place" "$writer" 2>>errors &
        jobs+=($!)
        ((writer++))
    done
    for job in "${jobs[@]}"; do
        wait "$job" || ((failed++))
    done
    is "$name: all writers end well" "$failed:$(cat errors)" 0:
    local wanted=$(($# * TEST_ROWS))
    for place in "$one" "$other" source; do
        is "$name: ${place##*/} sees a whole database with every row" \
            "$(sqlite3 "$place/$TEST_DATABASE" 'pragma integrity_check;
                select count(*), count(distinct total), max(total) from entry')" \
            $'ok\n'"$wanted|$wanted|$wanted"
    done
    rm errors
}

# A file system whose times are coarse, so that a change may not show in them.
databases_with_coarse_times() {
    mkdir source lower layer layer/{upper,work}
    mount -t overlay overlay -o lowerdir=lower,upperdir=layer/upper,workdir=layer/work source
    mount_two || return
    databases_share truncate "SQLite on a file system with coarse times, writers in two views" \
        "$one" "$other" "$one" "$other"
}

databases() {
    mount_two || return
    databases_share delete "SQLite, rollback journal, writers in two views and on the host" \
        "$one" "$other" "$one" "$other" source
    databases_share truncate "SQLite, truncated journal, writers in two views" \
        "$one" "$other" "$one" "$other"
    databases_share wal "SQLite, write-ahead log, writers in one view" "$one" "$one" "$one" "$one"
}

export TEST_DATABASE
export TEST_ROWS=${TEST_ROWS:-40}
for_each_user locks_exclude
for_each_user flock_in_turn
for_each_user databases
((EUID != 0)) || test_run_body databases_with_coarse_times
export TEST_CACHE
TEST_CACHE=watch
for_each_user databases
TEST_CACHE="timeout 60"
for_each_user databases
done_testing
