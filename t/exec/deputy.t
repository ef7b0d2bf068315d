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

for_each_user folders_as_streams
for_each_user images_that_lead_out
for_each_user programs_of_the_source
done_testing
