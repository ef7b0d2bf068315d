#!/bin/bash
# Other ways to a name, and what others do to the source at the same time.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

other_names() {
    mkdir -p source/{w,r,v,h}
    write_config <<END
[scope aliases]
source = source
[rules aliases]
write = /w/
read  = /r/
view  = /v/
none  = /w/top/secret
none  = /w/absent/secret
none  = /w/target/secret
none  = /w/target/sub/secret
END
    mount_view aliases || return
    drive "$TEST_ALIASES" "$PWD/source" "$view"
    unmount_view
}

# Absolute symlinks lead out of a view, as on any mount; in a sandbox there is nothing to lead to.
absolute_symlinks() {
    mkdir -p source/w source/h
    echo secret >source/h/f
    echo outside >outside
    ln -s "$PWD/source/h/f" source/w/hidden
    ln -s "$PWD/source/h" source/w/folder
    ln -s "$PWD/outside" source/w/outside
    ln -s ../../../../../../../../../../../etc/shadow source/w/shadow
    write_config <<END
[scope links]
source = source
[rules links]
write = /w/
END
    local link
    for link in hidden folder/f outside shadow; do
        exits "in a sandbox, the symlink w/$link leads nowhere" 1 \
            scopefs exec -c "$config" links -- cat "w/$link"
    done
}

# The kernel believes that there is nothing by the name, and has the view create it.
appearing() {
    mkdir -p source
    write_config <<END
[scope late]
source = source
cache  = timeout 60
[rules late]
write = /
END
    mount_view late || return
    local reader
    fails "a name leads to nothing" stat "$view/fifo"
    mkfifo source/fifo
    timeout 60 cat source/fifo >got &
    reader=$!
    wait_for '[[ $(cut -d " " -f 2,3 "/proc/$(pgrep -P '"$reader"')/stat") == "(cat) S" ]]'
    fails "a FIFO that took it is not opened as the file that was to be created" \
        dd if=/dev/null of="$view/fifo" conv=notrunc oflag=nonblock
    ok "who waits at it in the source waits on" timeout 20 sh -c 'echo real >source/fifo'
    wait "$reader"
    is "hears that, and its end" "$? $(<got)" "0 real"
    fails "another name leads to nothing" stat "$view/file"
    echo there >source/file
    ok "a file that took it is opened as it is" sh -c "echo more >>'$view/file'"
    is "and not made anew" "$(<source/file)" $'there\nmore'
    unmount_view
}

races() {
    local race
    for race in directory link fifo rename rename-blocked; do
        new_workdir
        cd "$workdir" || return
        mkdir -p source/w source/hidden
        echo CANARY >source/hidden/f
        write_config <<END
[scope races]
source = source
[rules races]
write = /w/
none  = /w/{one,other}-*/anchored
END
        mount_view races || return
        drive "$TEST_RACE" "$race" "$PWD/source" "$view" "${SCOPEFS_TEST_RACE_MS:-1500}"
        unmount_view
    done
}

# By the host, and by an agent whose view may write everything.
moved_by() { # MOVER
    new_workdir
    cd "$workdir" || return
    mkdir -p source outside
    echo canary >canary
    write_config <<END
[scope all]
source = source
[rules all]
write = /
[scope moved]
source = source
[rules moved]
write = /w/
read  = /r/
view  = /v/
END
    mount_view all moved || return
    local mover=$PWD/source
    [[ $1 != view ]] || mover=$workdir/views/all
    drive "$TEST_MOVED" "$PWD/source" "$view" "$mover" "$PWD/outside"
    unmount_view "$workdir/views/all"
    unmount_view "$workdir/views/moved"
}

moved() {
    moved_by host
    moved_by view
}

TEST_ALIASES=$(attack_program aliases) TEST_RACE=$(attack_program race)
TEST_MOVED=$(attack_program moved)
export TEST_ALIASES TEST_RACE TEST_MOVED
for_each_user other_names
for_each_user absolute_symlinks
for_each_user appearing
for_each_user races
for_each_user moved
done_testing
