#!/bin/bash
# Mounts in and around the source, and file systems that take two spellings for one name.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

write_scopes() {
    write_config <<END
[scope plain]
source = $1
[rules plain]
write = /
none  = hidden
[scope through]
source = $1
submounts = yes
[rules through]
write = /
none  = hidden
[scope inner]
source = inner
[rules inner]
write = /
END
}

# A view is a file system that every user can mount, so it stands for all that others mount there.
mounted_in_the_source() {
    mkdir -p source/w/place source/hidden inner/hidden
    echo inner >inner/f
    echo inner >inner/hidden/f
    write_scopes source
    mount_view plain through || return
    local plain=$workdir/views/plain through=$workdir/views/through place=$workdir/source/w/place
    is "before anything is mounted, what is there is seen" "$(ls -A "$plain/w/place")" ""
    ok "another file system is mounted in the source" scopefs mount -c "$config" inner "$place"
    exits "its files cannot be reached" 1 cat "$plain/w/place/f"
    fails "nor made there" touch "$plain/w/place/made"
    fails "in neither file system" test -e inner/made
    run ls "$plain/w"
    is "its name is listed all the same" "$output" place
    fails "it cannot be renamed" mv "$plain/w/place" "$plain/w/other"
    fails "nor removed" rmdir "$plain/w/place"
    wait_for 'test -e "'"$through"'/w/place/f"'
    is "where submounts are part of the view, they are seen" "$(cat "$through/w/place/f")" inner
    fails "by the same rules" ls "$through/w/place/hidden"
    ok "and written" touch "$through/w/place/made"
    ok "it goes again" scopefs umount "$place"
    wait_for 'touch "'"$plain"'/w/place/made" 2>/dev/null'
    ok "and what is there can be used again" test -e source/w/place/made
}

# The source is held by descriptor: what is mounted over its path is not it.
covered_source() {
    mkdir -p source inner
    echo source >source/f
    echo inner >inner/f
    write_scopes source
    mount_view plain || return
    mount --bind inner source || return
    is "the view shows its source, also when that is covered" "$(cat "$view/f")" source
    echo new >"$view/new"
    fails "and writes there" test -e inner/new
    umount source
    is "to be seen when the cover goes" "$(cat source/new)" new
}

# The place and the source are compared by where they are, not by what they are called.
places() {
    mkdir -p source/inside source/deep/er elsewhere outer/source
    write_scopes source
    ln -s source/inside link
    ln -s source other-source
    local place
    for place in source/inside source "$PWD/source/deep/er" link source/../source/deep \
        other-source/deep /proc/self/cwd/source/inside; do
        exits "no view is mounted in its source, by $place" 1 scopefs mount -c "$config" plain "$place"
    done
    write_scopes outer/source
    exits "nor around it" 1 scopefs mount -c "$config" plain outer
    write_scopes other-source
    exits "nor in a source that is named by a symlink" 1 \
        scopefs mount -c "$config" plain source/inside
    is "and nothing is left" "$(ls -A source/inside source/deep/er)" $'source/deep/er:\n\nsource/inside:'
    if ((EUID != 0)); then
        return
    fi
    mkdir by-bind
    mount --bind source by-bind || return
    exits "nor by a bind mount of the source" 1 scopefs mount -c "$config" plain by-bind/inside
    umount by-bind
    mount --bind source/deep by-bind || return
    exits "nor by one of a part of it" 1 scopefs mount -c "$config" plain by-bind/er
    umount by-bind
    write_scopes by-bind
    mount --bind outer by-bind || return
    write_scopes by-bind/source
    exits "nor around it by one" 1 scopefs mount -c "$config" plain outer
    umount by-bind
}

# Root unmounts by a path that runs through a folder of the user whom the view is for.
swapped_folder() {
    mkdir -p source mine other/place
    chown "$test_user" . mine
    write_config <<END
[scope swapped]
source = source
mount  = mine/place
user   = $test_user
[rules swapped]
write = /
END
    ok "a view is mounted in a folder of its user" scopefs mount -c "$config" swapped
    mount -t tmpfs -o size=64K none other/place || return
    touch other/place/f
    as_user mv mine moved
    as_user ln -s other mine
    local supervisor
    supervisor=$(sed -n 's/^pid = //p' "$(grep -lx 'scope = swapped' /run/scopefs/.run/*[0-9] | head -n 1)")
    kill -TERM "$supervisor"
    wait_for '! [[ -d /proc/'"$supervisor"' ]]'
    ok "its end leaves alone what the user made the path lead to" test -e other/place/f
    umount other/place
    run umount -l moved/place
    is "nothing else is left mounted" "$(grep -c "$PWD" /proc/self/mountinfo)" 0
}

# A library makes directories called "folding" fold case, because few kernels can.
folding() {
    mkdir -p source/w/folding/below source/w/plain whole-folding
    touch source/w/folding/f source/w/plain/f
    write_config <<END
[scope folds]
source = source
cache = none
[rules folds]
write = /
[scope ignores]
source = source
case = ignore
[rules ignores]
write = /
[scope whole]
source = whole-folding
[rules whole]
write = /
END
    local log
    log=$(runtime_folder)/.folds.log
    export LD_PRELOAD=$TEST_FOLD_SHIM ASAN_OPTIONS=verify_asan_link_order=0
    exits "a source that folds case is refused" 1 scopefs mount -c "$config" whole views
    mount_view folds ignores
    unset LD_PRELOAD ASAN_OPTIONS
    local folds=$workdir/views/folds
    is "a directory that folds case shows nothing" "$(ls -A "$folds/w/folding")" ""
    fails "a file in it is not found" stat "$folds/w/folding/f"
    fails "nor a directory" ls "$folds/w/folding/below"
    fails "nothing is made in it" touch "$folds/w/folding/new"
    fails "nor moved into it" mv "$folds/w/plain/f" "$folds/w/folding/g"
    is "the source is as it was" "$(ls -A source/w/folding)" $'below\nf'
    is "the directory beside it is shown" "$(ls -A "$folds/w/plain")" f
    like "the owner is told" "$(<"$log")" "/w/folding takes upper and lower case for the same"
    mkdir source/w/later
    is "a directory that does not fold is empty" "$(ls -A "$folds/w/later")" ""
    touch source/w/later/.folds source/w/later/f
    ok "when it folds later, that is noticed" wait_for "! ls '$folds/w/later/f' 2>/dev/null &&
        [[ -z \$(ls -A '$folds/w/later') ]]" 10
    is "and where case is ignored it is shown" "$(ls -A "$workdir/views/ignores/w/folding")" \
        $'below\nf'
    unmount_view "$folds"
    unmount_view
}

for_each_user mounted_in_the_source
if ((EUID == 0)); then
    new_workdir
    cd "$workdir" || exit
    covered_source
    cd / || exit
    test_prepare_user
    new_workdir
    cd "$workdir" || exit
    swapped_folder
    cd / || exit
fi
for_each_user places
TEST_FOLD_SHIM=$(attack_program fold_shim.so)
export TEST_FOLD_SHIM
for_each_user folding
done_testing
