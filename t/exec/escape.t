#!/bin/bash
# Each wall of a sandbox, tried from inside by a program that is made for it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/exec/common.sh"

# Where the program is that the ordinary user can read.
TEST_ESCAPE=$(shared_copy "$SCOPEFS_BUILDDIR/t/exec/escape")
export TEST_ESCAPE

tell_lines() {
    local line
    while IFS= read -r line; do
        case $line in
        "not ok "*) flunk "${line#not ok } cannot be had" ;;
        *) pass "${line#ok } cannot be had" ;;
        esac
    done <<<"$output"
}

tries() {
    make_project
    cp "$TEST_ESCAPE" source/output/escape
    local key=$((RANDOM * 1000 + 77)) queue=/scopefs-test-$$ holder holder_PID pid state input
    coproc holder { exec "$TEST_ESCAPE" hold "$key" "$queue"; }
    input=${holder[1]} pid=$holder_PID
    read -r -u "${holder[0]}" state
    is "the host has shared memory and a message queue" "$state" up
    run in_sandbox /workspace/output/escape try "$key" "$queue" "$$" "$pid"
    tell_lines
    exec {input}>&-
    wait "$pid"
    run in_sandbox cat /proc/1/status
    like "the sandbox's first process has no capabilities either" "$output" $'CapEff:\t0000000000000000'
    like "and is behind the filter" "$output" $'NoNewPrivs:\t1.*Seccomp:\t2'
}

# With a key on the user's keyring; add_key(2) and keyctl(2) have no command that is always there.
with_key() { # TEST ARGUMENT...
    local add=248 control=250 key
    [[ $(uname -m) == x86_64 ]] || add=217 control=219
    key=$(perl -e 'my ($kind, $name, $bytes) = ("user", "scopefs-test-key", "x");
        print syscall($ARGV[0] + 0, $kind, $name, $bytes, 1, -4)' "$add")
    "$@"
    perl -e 'syscall($ARGV[0] + 0, 3, $ARGV[1] + 0, 0, 0, 0)' "$control" "$key"
}

# The view itself is no way out, and what is in it cannot raise privileges.
view() {
    make_project
    ((EUID != 0)) || { cp /usr/bin/id source/suid && chmod u+s source/suid; }
    ((EUID == 0)) || cp /usr/bin/id source/suid
    run in_sandbox /workspace/suid -u
    is "a set-user-ID program of the view changes nobody" "$output" "$(in_sandbox id -u)"
    ln -s /etc/shadow source/shadow
    ln -s "$workdir/outside" source/away
    echo outside >outside
    fails "a link leads to no file of the host" in_sandbox cat away
    fails "nor .. from the view" in_sandbox cat ../outside
    with_key ok "a key of the user is listed on the host" grep -q scopefs-test-key /proc/keys
    with_key fails "but no key is in the sandbox" in_sandbox sh -c 'cat /proc/keys | grep .'
    local name
    for name in DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR SSH_AUTH_SOCK DISPLAY WAYLAND_DISPLAY; do
        is "$name is not passed on" "$(env "$name=/run/x" scopefs-exec -c "$config" "$scope" \
            sh -c "echo \${$name-unset}")" unset
    done
    run in_sandbox find / -xdev -type s
    is "there is no socket to anybody" "$output" ""
}

for_each_user tries
for_each_user view
done_testing
