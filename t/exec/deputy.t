#!/bin/bash
# What an agent, or another user of the host, might have the owner's own next scopefs-exec do for him.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# `openat(fd, "..")` leads out of everything.
folders_as_streams() {
    make_project
    exits "a folder is no standard input" 125 bash -c 'exec scopefs-exec "$@" <source' - \
        -c "$config" "$scope" -- cat
    like "which is said" "$errors" "standard input: it is a folder"
    exits "no standard output, as far as it can be one" 125 perl -MPOSIX -e '
        my $fd = POSIX::open("source", O_RDONLY) or die; POSIX::dup2($fd, 1) or die;
        exec @ARGV' scopefs-exec -c "$config" "$scope" -- true
    exits "and not given by --stdin" 125 scopefs-exec -c "$config" --stdin source "$scope" -- cat
    exits "nor to a session" 125 scopefs-exec -c "$config" --stdin source --session one "$scope" -- cat
}

# An activated environment of a project in the source has its programs found first.
programs_of_the_source() {
    make_project
    mkdir source/bin
    printf '#!/bin/sh\necho planted >&2\nexit 3\n' >source/bin/bwrap
    chmod +x source/bin/bwrap
    ln -s source/bin bin
    ok "a bwrap in the source is passed over" env PATH="$workdir/source/bin:$PATH" \
        scopefs-exec -c "$config" "$scope" -- true
    is "and does nothing" "$errors" ""
    ok "also by a link into it" env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" -- true
    run env PATH="$workdir/source/bin:$PATH" scopefs-exec -c "$config" -n "$scope" true
    unlike "nor does --dry-run name it" "$output" source/bin
    ln -sf /bin/true source/bin/bwrap
    ok "nor what a link in there leads to at present" env PATH="$workdir/source/bin:$PATH" \
        scopefs-exec -c "$config" "$scope" -- test -d /workspace/output
    mkdir other
    ln -s "$(type -P bwrap)" other/bwrap
    ok "another folder may come first" env PATH="$workdir/other:$PATH" \
        scopefs-exec -c "$config" "$scope" -- true
}

# An image that a project brought along.
images_that_lead_out() {
    local name
    make_project
    mkdir -p image/usr "host of mine"
    echo secret >"host of mine/key"
    printf '[exec %s]\nrootfs = image\n' "$scope" >>"$config"
    for name in etc var; do
        ln -s "$workdir/host of mine" "image/$name"
        run scopefs-exec -c "$config" -n "$scope" cat "/$name/key"
        is "an image whose /$name is a symlink is refused" "$status:$output" 125:
        like "which is said" "$errors" "image/$name is a symlink, which would show $workdir/host of mine"
        rm "image/$name"
    done
}

# Between the look at a view and its place in the sandbox, another one of that name takes its place, and
# the number of the file system, which the kernel gives away again.
swapped_views() {
    ((EUID != 0)) || return 0 # whose bwrap is another user's
    make_project
    mkdir -p "views/$scope" bin
    scopefs mount -c "$config" "$scope"
    sed 's/^default = .*/default = write/; s/^none = .*/none = other/' "$config" >other.ini
    cat >bin/bwrap <<END
#!/bin/bash
(
    for fd in \$(ls /proc/self/fd); do ((fd < 3)) || eval "exec \$fd>&-"; done
    export XDG_RUNTIME_DIR='$XDG_RUNTIME_DIR' PATH='$PATH'
    scopefs umount --lazy '$workdir/views/$scope'
    scopefs mount -c '$workdir/other.ini' '$scope'
    cat '$workdir/views/$scope/.env'
) >'$workdir/swapped' 2>&1 </dev/null
exec $(type -P bwrap) "\$@"
END
    chmod +x bin/bwrap
    run env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" -- cat .env
    is "no command runs in a view that took the place of the one that was meant" "$status:$output" 125:
    like "which is said" "$errors" "not the view that was meant"
    like "although it was there" "$(<swapped)" secret
    # It ended with the command, as all that was started there.
    ok "the view is not kept from its end" scopefs umount "views/$scope"
}

# What is handed as a stream is opened anew by /proc/self/fd.
handed_files() {
    make_project
    local abi
    abi=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
    if ((abi < 3)); then
        skip "Landlock of Linux 6.2 is not there" "files that a command is handed"
        return
    fi
    sed -i 's/^default = .*/default = write/' "$config"
    echo mine >input
    chmod 0666 input
    run scopefs-exec -c "$config" --stdin input "$scope" -- sh -c 'cat && (echo more >>/proc/self/fd/0); perl -e "
        truncate q(/proc/self/fd/0), 0 and print qq(emptied\n)"'
    is "who is handed a file to read reads it" "$output" mine
    like "and does not write it" "$errors" "Permission denied"
    is "nor is it changed" "$(<input)" mine
    scopefs-exec -c "$config" "$scope" -- sh -c 'echo more >>/proc/self/fd/0' <input 2>/dev/null
    is "nor when it is inherited" "$(<input)" mine
    echo "was there" >output
    chmod 0666 output
    scopefs-exec -c "$config" "$scope" -- sh -c 'echo new; echo also >>/dev/stdout; cat /proc/self/fd/1' \
        >>output 2>errors
    is "who is handed a file to write writes it, and does not read it" "$(<output)" \
        $'was there\nnew\nalso'
    run scopefs-exec -c "$config" --stdin input "$scope" -- sh -c 'mkdir one two && echo kept >one/file && mv one/file two/ &&
        cat two/file && rm -r one two && cd /tmp && mkdir one two && : >one/file && ln one/file two/'
    is "all else is as ever" "$status:$output" 0:kept
}

for_each_user folders_as_streams
for_each_user handed_files
for_each_user swapped_views
for_each_user images_that_lead_out
for_each_user programs_of_the_source
done_testing
