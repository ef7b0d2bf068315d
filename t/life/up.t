#!/usr/bin/env bash
# Many scopes of one file: up, down, restart, ps and gc, and what is left after a crash.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
enter_own_world

is_mounted() { [[ $(test_mounts_below "$1" | tr '\0' '\n') == *"$1"* ]]; }
field() { # SCOPE FIELD: of scopefs ps --json
    scopefs ps --json "$1" | sed -nE "s/.*\"$2\":\"?([^,\"}]*).*/\1/p"
}

make_scopes() {
    mkdir -p source/inner m
    echo text >source/file
    write_config <<'END'
[scope life-a]
source = source
mount  = m/a
default = read

[scope life-c]
source  = source/inner
parent  = life-a
mount   = m/c
default = write

[scope life-b]
source = source
mount  = m/b
default = read
END
}

brings_up_and_down() {
    make_scopes
    ok "up mounts all scopes of the file" scopefs up -c "$config"
    is "they can be used" "$(cat m/a/file m/b/file)" $'text\ntext'
    like "it tells each" "$output" "life-b: mounted on .*/m/b"
    ok "up again changes nothing" scopefs up -c "$config"
    like "and says so" "$output" "life-a: already mounted on"
    ok "down of one" scopefs down -c "$config" life-b
    ok "takes that one away" eval '! is_mounted "$workdir/m/b" && is_mounted "$workdir/m/a"'
    ok "up brings back what is missing" scopefs up -c "$config"
    like "and only that" "$output" "life-b: mounted on"
    sed -i 's/^default = read/default = none/' "$config"
    ok "reload of all" scopefs reload -c "$config"
    fails "gives new rules to each" eval 'cat m/a/file || cat m/b/file'
    sed -i 's/^default = none/default = read/' "$config"
    ok "reload of some that are named" scopefs reload life-a "$workdir/m/b"
    is "gives theirs to those" "$(cat m/a/file m/b/file)" $'text\ntext'
    exits "one that is not there is told" 1 scopefs reload life-a life-x
    local before after
    before=$(field life-a pid)
    ok "restart" scopefs restart -c "$config" life-a
    after=$(field life-a pid)
    ok "gives it new processes" test -n "$after" -a "$before" != "$after"
    exits "a scope that is not there" 1 scopefs up -c "$config" life-x
    like "lists those that are" "$errors" "life-a, life-c, life-b"
    ok "down of all" scopefs down -c "$config"
    ok "leaves nothing mounted" eval '! is_mounted "$workdir/m"'
    is "and no mount points that were made" "$(ls m)" ""
    ok "down again is no error" scopefs down -c "$config"
    local deaf=(timeout 60 perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV')
    ok "up by a program that hears of no child's end" "${deaf[@]}" scopefs up -c "$config"
    ok "and down, after which no process is left" "${deaf[@]}" scopefs down -c "$config"
}

tells_what_failed() {
    make_scopes
    mkdir -p m/b/full
    exits "one mount point that cannot be used" 1 scopefs up -c "$config"
    like "is told with its scope" "$errors" "life-b: the mount point .*/m/b is not empty"
    ok "and nothing stays mounted" eval '! is_mounted "$workdir/m"'
    exits "with --keep-going" 1 scopefs up --keep-going -c "$config"
    ok "the others stay" eval 'is_mounted "$workdir/m/a" && is_mounted "$workdir/m/c"'
    scopefs down -c "$config" >/dev/null
    mkdir -p m/a/full
    exits "a scope whose parent cannot be mounted" 1 scopefs up --keep-going -c "$config" life-a life-c
    like "is not mounted either" "$errors" "life-c: not mounted, because life-a is not"
    rm -r m
    mkdir m
    echo "[scope life-d" >>"$config"
    exits "a file with an error brings up nothing" 1 scopefs up --keep-going -c "$config"
    ok "whatever else is in it" eval '! is_mounted "$workdir/m"'
}

refuses_one_place_for_two() {
    mkdir -p source
    write_config <<'END'
[scope one]
source = source
mount  = m/place
[scope two]
source = source
mount  = ./m//place
END
    exits "two scopes on one mount point are an error" 1 scopefs check "$config"
    like "that names the other" "$errors" "scopefs.ini:6:.*'one' already has the mount point .*line 3"
    ln -s m other
    mkdir -p m
    sed -i 's,^mount  = ./m//place,mount = other/place,' "$config"
    exits "also when symlinks lead to one place" 1 scopefs check "$config"
    like "which is told" "$errors" "scopefs.ini:4:.*error: the scope 'one' would be mounted on .*/m/place, too"
    exits "up mounts neither" 1 scopefs up -c "$config"
    like "and says the same" "$errors" "two: .*/m/place is the mount point of scope one, too"
    ok "nothing is mounted" eval '! is_mounted "$workdir/m"'
    sed -i "s,^mount = other/place,mount = $(runtime_folder)/one,; /^mount  = m\/place/d" "$config"
    exits "also one scope's own place and another's default" 1 scopefs check "$config"
}

names_who_uses_it() {
    make_scopes
    scopefs up -c "$config" life-a >/dev/null
    (cd m/a && exec sleep 1000) &
    local user=$!
    wait_for "[[ \$(readlink /proc/$user/cwd) == */m/a ]]"
    exits "a view in use stays" 1 scopefs down -c "$config" life-a
    like "and the process that uses it is named" "$errors" "in use by sleep \($user\)"
    unlike "but not the view's own" "$errors" "scopefs \("
    mkdir other
    exits "mounting on a view" 1 scopefs mount --source other m/a
    like "names its process" "$errors" "scope life-a \(process $(field life-a pid)\)"
    kill "$user"
    wait "$user" 2>/dev/null
    ok "afterwards it can be taken down" scopefs down -c "$config" life-a
}

stays_for_a_sandbox() {
    make_scopes
    scopefs up -c "$config" life-a >/dev/null
    scopefs-exec -c "$config" life-a -- sh -c 'echo up; exec sleep 1000' >out &
    local sandbox=$!
    wait_for 'grep -qs up out'
    local sum=0 boxes
    for boxes in $(field life-a sandboxes); do ((sum += boxes)); done
    is "ps counts the sandbox" "$sum" 1
    exits "a view that a sandbox uses stays" 1 scopefs down -c "$config" life-a
    like "and the sandbox is named" "$errors" 'in use by [a-z0-9-]+ \([0-9]+\) in a mount namespace of its own'
    ok "the sandbox goes on" kill -0 "$sandbox"
    kill "$sandbox"
    wait "$sandbox" 2>/dev/null
    ok "without it, the view goes" scopefs down -c "$config" life-a
    ok "and nothing is left" eval '! is_mounted "$workdir/m" && [[ -z $(scopefs ps --json life-a) ]]'
}

goes_where_only_copied() {
    make_scopes
    scopefs up -c "$config" life-a >/dev/null
    local options=(--mount --propagation private) copy process
    ((EUID == 0)) || options+=(--user --map-root-user)
    if ! unshare "${options[@]}" true; then
        skip "this host gives ordinary users no user namespaces" "a copy of the mount"
        scopefs down -c "$config" >/dev/null
        return
    fi
    unshare "${options[@]}" sh -c 'echo up; cd /; exec sleep 1000' >out &
    copy=$!
    wait_for 'grep -qs up out'
    process=$(field life-a server_pid)
    ok "a copy of the mount in another namespace" grep -q "$workdir/m/a " "/proc/$copy/mountinfo"
    ok "that nobody uses does not keep a view" scopefs down -c "$config" life-a
    ok "and its processes end" test ! -e "/proc/$process"
    scopefs up -c "$config" life-a >/dev/null
    (cd m/a && exec unshare "${options[@]}" sh -c 'echo up; exec sleep 1000' >../../out2) &
    local user=$!
    wait_for 'grep -qs up out2'
    exits "one that somebody stands in does" 1 scopefs down -c "$config" life-a
    like "who is named" "$errors" "in use by .*sleep \([0-9]+\)"
    ok "--lazy takes it away" scopefs down --lazy -c "$config" life-a
    kill "$copy" "$user"
    wait "$copy" "$user" 2>/dev/null
}

lists_views() {
    make_scopes
    scopefs up -c "$config" >/dev/null
    cat m/a/file >/dev/null
    touch m/a/new 2>/dev/null
    ok "ps" scopefs ps life-a
    like "shows the view with its source" "$output" "life-a +up .* current .*/m/a +.*/source"
    is "ps --json tells who may use it" "$(field life-a user)" "$(id -un)"
    ok "counts operations" test "$(field life-a operations)" -gt 0
    ok "and refusals" test "$(field life-a refusals)" -gt 0
    ok "and memory" test "$(field life-a memory_kib)" -gt 100
    exec 9<m/a/file
    wait_for '[[ $(field life-a open_handles) == 1 ]]'
    is "and open handles" "$(field life-a open_handles)" 1
    exec 9<&-
    is "there are no sessions" "$(field life-a sessions)" 0
    # As the process that keeps a session writes it; its lock tells that it lives.
    mkdir -p "$(runtime_folder)/.sandboxes"
    printf 'scope = life-a\nview = %s\nstarted = 1\nsession = shell\n' \
        "$(awk -v point="$workdir/m/a" '$5 == point { print $3 }' /proc/self/mountinfo)" \
        >"$(runtime_folder)/.sandboxes/$$"
    exec 8<"$(runtime_folder)/.sandboxes/$$"
    flock 8
    is "shell sessions in it are counted" "$(field life-a sessions)" 1
    is "and not in others" "$(field life-b sessions)" 0
    exec 8<&-
    is "but not dead ones" "$(field life-a sessions)" 0
    fails "whose files are removed" test -e "$(runtime_folder)/.sandboxes/$$"
    echo "; changed" >>"$config"
    is "a file that was changed since" "$(field life-a policy)" changed
    scopefs reload life-a
    is "is current again after a reload" "$(field life-a policy)" current
    rm "$config"
    is "one that is gone is told, too" "$(field life-a policy)" gone
    make_scopes
    scopefs ps --watch --json life-a >watched &
    local watcher=$!
    wait_for '[[ -s watched ]]'
    cat m/a/file m/a/absent >/dev/null 2>&1
    wait_for '(($(wc -l <watched) > 1))'
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    like "ps --watch lists again and again, with what came since" "$(tail -n 1 watched)" '"operations_per_second":[0-9.]*[1-9]'
    like "without a terminal it writes no sequences" "$(head -c 1 watched)" '[{]'
    scopefs down -c "$config" >/dev/null
    is "what is down is not listed" "$(scopefs ps --json life-a)" ""
}

# Other tests' views may be given the same device number, so it is their content that tells.
run_files() { grep -lsF "mount = $1" "$(runtime_folder)"/.run/* | wc -l; } # MOUNT-POINT

cleans_up_after_crashes() {
    make_scopes
    scopefs up -c "$config" >/dev/null
    local server supervisor
    server=$(field life-a server_pid)
    kill -KILL "$server"
    wait_for '[[ $(field life-a state) == dead ]]'
    is "a view whose server was killed is listed as dead" "$(field life-a state)" dead
    ok "gc" scopefs gc
    like "tells that it takes it away" "$output" "unmounted the dead view .*/m/a"
    ok "and does" eval '! is_mounted "$workdir/m/a" && is_mounted "$workdir/m/b"'

    supervisor=$(field life-b pid)
    kill -KILL "$supervisor"
    wait_for '! [[ -e /proc/'"$supervisor"' ]] && [[ $(field life-b state) != silent ]]'
    ok "a killed supervisor leaves its run file" test "$(run_files "$workdir/m/b")" -gt 0
    wait_for '! stat m/b/file 2>/dev/null'
    ok "up mends both" scopefs up -c "$config"
    is "so that they can be used" "$(cat m/a/file m/b/file)" $'text\ntext'
    ok "gc has nothing left to do" scopefs gc
    is "and says nothing" "$output" ""
    ok "all go down" scopefs down -c "$config"
    is "and the run file of the killed one is gone" "$(run_files "$workdir/m/b")" 0
}

# Runs a command while the server of life-a is dead and its supervisor does not get to know of it, which ends
# once the command waits for it.
between_deaths() { # COMMAND...
    local server supervisor waiting
    server=$(field life-a server_pid) supervisor=$(field life-a pid)
    kill -STOP "$supervisor"
    kill -KILL "$server"
    scopefs "$@" >said 2>&1 &
    waiting=$!
    ok "$1 waits" wait_for '[[ $(readlink "/proc/'"$waiting"'/fd/"* 2>/dev/null) =~ /\.run/[0-9]+:[0-9]+ ]]'
    kill -CONT "$supervisor"
    wait "$waiting"
    is "and succeeds" "$?" 0
}

waits_for_who_is_about_to_end() {
    make_scopes
    local round process failed=
    scopefs up -c "$config" >/dev/null
    between_deaths up -c "$config"
    like "up finds the view dead" "$(<said)" "life-a: mounted on .*life-b: already mounted"
    is "and mounts it" "$(cat m/a/file)" text
    between_deaths gc
    like "gc finds the view dead" "$(<said)" "unmounted the dead view .*/m/a"
    scopefs up -c "$config" >/dev/null
    for round in 1 2 3; do
        for process in pid server_pid; do
            kill -KILL "$(field life-a "$process")"
            scopefs up -c "$config" >/dev/null 2>said && [[ $(cat m/a/file) == text ]] || failed+="$round $process: $(<said);"
        done
    done
    is "up right after a death brings the view back" "$failed" ""
    scopefs down -c "$config" >/dev/null
}

cleans_up_private_views() {
    make_scopes
    local runtime gone
    runtime=$(runtime_folder)
    gone=$(bash -c 'echo $$')
    scopefs gc >/dev/null
    mkdir -p "$runtime/.exec-life-a-$gone"
    ok "a private view whose helper is gone" scopefs mount -c "$config" life-a "$runtime/.exec-life-a-$gone"
    ok "is taken away by gc" scopefs gc
    ok "with its folder" test ! -e "$runtime/.exec-life-a-$gone"
}

survives_a_killed_up() {
    make_scopes
    scopefs up -c "$config" >/dev/null 2>&1 &
    local up=$!
    wait_for 'is_mounted "$workdir/m"' 5
    kill -KILL "$up" 2>/dev/null
    wait "$up" 2>/dev/null
    # What it had started mounts or does not; the next one completes it.
    wait_for 'scopefs up -c "$config" >/dev/null 2>&1'
    is "after up was killed, the next one completes it" "$(cat m/a/file m/b/file)" $'text\ntext'
    wait_for 'scopefs down -c "$config" >/dev/null 2>&1'
    ok "and down takes all away" eval '! is_mounted "$workdir/m"'
}

for_each_user brings_up_and_down
for_each_user tells_what_failed
for_each_user refuses_one_place_for_two
for_each_user names_who_uses_it
for_each_user stays_for_a_sandbox
for_each_user goes_where_only_copied
for_each_user lists_views
for_each_user cleans_up_after_crashes
for_each_user waits_for_who_is_about_to_end
for_each_user cleans_up_private_views
for_each_user survives_a_killed_up
done_testing
