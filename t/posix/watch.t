#!/bin/bash
# cache = watch: what the kernel keeps for a minute goes as soon as somebody else changes the source.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# Well below the minute that things are kept, well above what a loaded machine needs.
export TEST_LIMIT_MS=2000

now_ms() { echo $(($(date +%s%N) / 1000000)); }

seen() { # NAME CONDITION: it becomes true in time
    local begin
    begin=$(now_ms)
    until eval "$2"; do
        if (($(now_ms) - begin > TEST_LIMIT_MS)); then
            flunk "$1"
            return
        fi
    done
    diag "$1: after $(($(now_ms) - begin)) ms"
    pass "$1"
}

# Has the kernel learn all of it, and keep it.
learn() { ls -lR "$view" >/dev/null && cat "$view/dir/file" >/dev/null && ! stat "$view/dir/absent" 2>/dev/null; }

learn_again() {
    ls -R "$view" >/dev/null
    stat "$view/moved/deep" "$view/moved/deep/below" "$view/moved" >/dev/null
}

operations() { scopefs ps --json | grep -F "\"$view\"" | grep -oP '"operations":\K[0-9]+'; }

body() {
    local before round stale=0 text=
    mkdir -p source/dir/deep
    echo one >source/dir/file
    echo kept >source/dir/other
    write_config <<END
[scope watched]
source = source
cache  = watch
[rules watched]
write = /
none  = hidden
END
    mount_view watched || return
    learn

    echo absent >source/dir/absent
    seen 'a name that was absent' 'stat "$view/dir/absent" >/dev/null 2>&1'
    seen 'and is listed' 'ls "$view/dir" | grep -qx absent'
    echo longer content >source/dir/file
    seen 'new content and size' '[[ $(stat -c %s "$view/dir/file") == 15 ]]'
    is 'is read' "$(cat "$view/dir/file")" 'longer content'
    exec {held}<"$view/dir/file"
    head -c 4 <&"$held" >/dev/null
    printf 'LONGER content\n' | dd of=source/dir/file conv=notrunc 2>/dev/null
    seen 'also through a descriptor from before' '[[ $(head -c 6 "/proc/self/fd/$held") == LONGER ]]'
    exec {held}<&-
    chmod 600 source/dir/file
    seen 'new permissions' '[[ $(stat -c %a "$view/dir/file") == 600 ]]'
    echo replaced >source/new
    mv source/new source/dir/file
    seen 'another file by the same name' '[[ $(cat "$view/dir/file") == replaced ]]'
    rm source/dir/other
    seen 'a name that is gone' '! stat "$view/dir/other" >/dev/null 2>&1'
    mv source/dir source/moved
    seen 'a directory that moved' 'stat "$view/moved/deep" >/dev/null 2>&1'
    seen 'and is no more where it was' '! stat "$view/dir" >/dev/null 2>&1'
    echo below >source/moved/deep/below
    seen 'what is made below it' '[[ $(cat "$view/moved/deep/below" 2>/dev/null) == below ]]'
    mkdir source/fresh
    seen 'a new directory' 'stat "$view/fresh" >/dev/null 2>&1'
    ! stat "$view/fresh/later" 2>/dev/null
    echo later >source/fresh/later
    seen 'and what comes into it' 'stat "$view/fresh/later" >/dev/null 2>&1'

    ln source/moved/deep/below source/moved/second
    seen 'a second name of a file' '[[ $(stat -c %h "$view/moved/deep/below") == 2 ]]'
    echo 'by the second name' >source/moved/second
    is 'by which it is changed' "$(stat -c %s "$view/moved/deep/below")" 19
    touch -d @1000 source/moved/deep
    seen 'times of a directory that nobody listed' \
        '[[ $(stat -c %Y "$view/moved/deep") == 1000 ]]'
    rm source/moved/second
    learn_again
    learn_again
    before=$(operations)
    learn_again
    is 'a tree that is known is walked without a question' "$(($(operations) - before))" 0

    echo mine >"$view/mine"
    is 'what the view itself wrote' "$(cat source/mine)" mine
    mv "$view/mine" "$view/fresh/mine"
    is 'and moved, is there' "$(cat "$view/fresh/mine")" mine
    rm "$view/fresh/mine"
    fails 'and removed, is gone' stat "$view/fresh/mine"
    echo hidden >source/fresh/hidden
    fails 'what is hidden stays hidden' stat "$view/fresh/hidden"

    # What the kernel is told of a change must not make it drop the answer to a question of its own.
    for ((round = 0; round < 400 && stale == 0; round++)); do
        text+="round $round;"
        printf %s "$text" >source/growing
        [[ $(cat "$view/growing") == "$text" ]] || stale=$round
    done
    is 'a file that is opened after each change is read as it is' "$stale" 0

    mkdir source/many
    ls -l "$view/many" >/dev/null
    for name in {1..2000}; do : >"source/many/$name"; done
    seen 'thousands of changes at once' '[[ $(ls "$view/many" | wc -l) == 2000 ]]'
    rm -r source/many
    seen 'and back' '! ls "$view/many" >/dev/null 2>&1'
    unmount_view
}

# One directory at two paths has one watch: by the other path it is asked for again after a second.
twice() {
    local path TEST_LIMIT_MS=10000
    mkdir -p source/{one,two}/dir
    echo file >source/one/dir/file
    mount --bind source/one source/two
    write_config <<END
[scope twice-$$]
source = source
cache  = watch
submounts = yes
default = read
END
    mount_view "twice-$$" || return
    ls -lR "$view" >/dev/null
    echo longer >source/one/dir/file
    for path in one two; do
        seen "a change in a directory at two paths, by $path" '[[ $(stat -c %s "$view/$path/dir/file") == 7 ]]'
    done
    unmount_view
}

watches() { # SERVER
    cat "/proc/$1/fdinfo/"* 2>/dev/null | grep -c '^inotify '
}

# Only root has the kernel forget, and sees the watches.
forgotten() {
    local server round
    mkdir -p source/{1..20}/{1..100}
    write_config <<END
[scope forgotten-$$]
source = source
cache  = watch
default = read
END
    mount_view "forgotten-$$" || return
    server=$(server_of "$view")
    for round in 1 2; do
        ls -lR "$view" >/dev/null
        ok "$round: each directory is watched" test "$(watches "$server")" -ge 2000
        ok "$round: until the kernel forgets it" \
            wait_for 'echo 2 >/proc/sys/vm/drop_caches; (($(watches "$server") < 20))' 30
    done
    ls -lR "$view" >/dev/null
    mkdir source/7/70/new
    seen "what is looked at again is watched again" 'stat "$view/7/70/new" >/dev/null 2>&1'
    like "its log is read" "$(</run/scopefs/.forgotten-$$.log)" 'mounted on'
    unlike "nothing was lost meanwhile" "$(</run/scopefs/.forgotten-$$.log)" 'changes came faster'
    unmount_view
}

for_each_user body
((EUID != 0)) || test_run_body twice
((EUID != 0)) || test_run_body forgotten
done_testing
