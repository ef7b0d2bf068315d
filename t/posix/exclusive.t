#!/usr/bin/env bash
# A view whose source is its alone, and whose files the kernel opens without asking, behaves as the
# source's file system.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

alone() {
    local mode
    mount_two || return
    program_as_natively handles
    program_as_natively content
    program_as_natively names
    for mode in "" nomap direct; do
        # shellcheck disable=SC2086 # no word when there is none
        results_of fsx "$one/file" source/file 1000 $mode
    done
    results_of append "in one view" source/log 500 "$one"/{log,log,log,log}
    results_of append "in one view, mapped too" source/mapped 500 "$one"/{mapped,mapped}
}

locks() {
    mount_two || return
    : >source/file
    exits "who has a file locked keeps others out" 1 flock "$one/file" flock -n "$one/file" true
    ok "until it is let go" flock -n "$one/file" true
    ok "SQLite makes a database" sqlite3 "$one/data.db" \
        "create table t (n integer); insert into t values (1); insert into t values (2)"
    is "which the host reads" "$(sqlite3 source/data.db "select sum(n) from t")" 3
    local jobs=()
    for _ in 1 2 3 4; do
        sqlite3 "$one/data.db" ".timeout 60000" "insert into t values (10)" &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    is "writers wait for each other" "$(sqlite3 "$one/data.db" "select sum(n) from t")" 43
}

# Names of one file.
links() {
    local turn stale=0
    mount_two || return
    echo "turn 000" >"$one/first"
    ln "$one/first" "$one/second"
    for turn in {001..100}; do
        printf 'turn %s\n' "$turn" | dd of="$one/first" conv=notrunc status=none
        [[ $(cat "$one/second") == "turn $turn" ]] || ((stale++))
    done
    is "what is written by one name is read by the other" "$stale" 0
}

# Modes are checked at the open, as anywhere; what has been opened stays so.
modes() {
    mount_two || return
    echo content >"$one/file"
    chmod 0400 "$one/file"
    fails "a file without write permission is not opened to write" bash -c 'echo more >>"$1"' bash "$one/file"
    like "with the usual word" "$errors" "Permission denied"
    chmod 0000 "$one/file"
    fails "nor one without any to read" cat "$one/file"
    ok "a file that is made without write permission is written by who made it" \
        cp "$source/../two.ini" "$one/copy"
    (umask 0777 && cat two.ini >"$one/shut")
    is "also when nobody may open it again" "$(stat -c '%a %s' source/shut)" "0 $(stat -c %s two.ini)"
    exec {removed}<>"$one/removed"
    rm "$one/removed"
    echo text >&"$removed"
    is "what has no name any more is read and written" "$(cat "/proc/self/fd/$removed")" text
    exec {removed}>&-
}

# Without a question the kernel goes by what it was told, so it hears of the host within the time
# that it takes to tell.
host_changes() {
    mount_two || return
    echo before >source/file
    is "a file is read" "$(cat "$one/file")" before
    echo afterwards >source/file
    local since=$SECONDS
    until [[ $(cat "$one/file") == afterwards ]] || ((SECONDS - since > 10)); do :; done
    is "what the host writes is read soon after" "$(cat "$one/file")" afterwards
    mv source/file source/other
    echo new >source/file
    until [[ $(cat "$one/file" 2>/dev/null) == new ]] || ((SECONDS - since > 20)); do :; done
    is "and what it puts in its place" "$(cat "$one/file")" new
}

export TEST_CACHE=exclusive
for body in alone locks links modes host_changes; do
    for_ordinary_user "$body"
done
done_testing
