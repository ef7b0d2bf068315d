#!/usr/bin/env bash
# How scopefs fits into the system: mount(8), service managers, shells, and what doctor says.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

is_mounted() { [[ $(test_mounts_below "$1" | tr '\0' '\n') == *"$1"* ]]; }

make_scope() {
    mkdir -p source/src m
    echo text >source/file
    write_config <<'END'
[scope sys-a]
source = source
default = read
[scope sys-b]
source = source
default = read
END
}

TEST_MOUNT=$(shared_copy "$SCOPEFS_BUILDDIR" system/mount.fuse.scopefs)/system/mount.fuse.scopefs
TEST_MANUAL=$(shared_copy "$SCOPEFS_SRCDIR/man")
export TEST_MOUNT TEST_MANUAL

is_mounted_by_mount() {
    make_scope
    export SCOPEFS
    SCOPEFS=$(command -v scopefs)
    ok "mount.fuse.scopefs mounts a scope" "$TEST_MOUNT" sys-a "$workdir/m" -n -o "rw,nofail,config=$config,x-systemd.automount"
    is "as mount(8) and fstab call it" "$(cat m/file)" text
    unmount_view "$workdir/m"
    local page options
    for page in scopefs.1 mount.fuse.scopefs.8; do
        read -r _ _ _ options _ < <(sed 's/^\.Dl //' "$TEST_MANUAL/$page" | grep ' fuse\.scopefs config=')
        ok "the line for fstab in $page mounts it" \
            "$TEST_MOUNT" sys-a "$workdir/m" -o "rw,${options/config=*.ini/config=$config}"
        unmount_view "$workdir/m"
    done
    exits "an option that it does not know" 1 "$TEST_MOUNT" sys-a "$workdir/m" -o "config=$config,colour"
    like "is named" "$errors" "unknown option 'colour'"
    ok "unless mount says to be sloppy" "$TEST_MOUNT" sys-a "$workdir/m" -s -o "config=$config,colour"
    unmount_view "$workdir/m"
    exits "ro is refused, as rules say that" 1 "$TEST_MOUNT" sys-a "$workdir/m" -o "config=$config,ro"
    ok "nothing is mounted then" eval '! is_mounted "$workdir/m"'
}

tells_the_service_manager() {
    make_scope
    # Binds the socket, then prints each datagram as a line.
    perl -MSocket -e '
        $| = 1;
        socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die;
        bind($s, pack_sockaddr_un("notify")) or die;
        while (defined recv($s, my $text, 100, 0)) { print "$text\n"; exit if $text =~ /STOPPING/ }' >told &
    local manager=$!
    wait_for '[[ -S notify ]]'
    NOTIFY_SOCKET=$workdir/notify scopefs mount -f -c "$config" sys-a "$workdir/m" 2>/dev/null &
    local view=$!
    wait_for 'grep -q READY=1 told'
    is "a view in the foreground says that it is ready when it can be used" "$(cat m/file)" text
    kill "$view"
    wait_for 'grep -q STOPPING=1 told'
    pass "and that it stops"
    wait "$view" "$manager"
    ok "upon which it is unmounted" eval '! is_mounted "$workdir/m"'
}

probes_the_host() {
    ok "doctor finds that views can be mounted here" scopefs doctor
    like "it looks at the driver" "$output" "good +/dev/fuse"
    like "and at the runtime folder" "$output" "runtime folder: .*scopefs"
    exits "without fusermount3 and its like" "$((EUID == 0 ? 0 : 1))" env PATH=/nowhere "$(command -v scopefs)" doctor
    like "it says how to get them" "$output" "apt install fuse3"
}

# Runs doctor with a program of our making in front, and shows the row with its mend.
doctor_with() { # ROW PROGRAM TEXT
    mkdir -p fake
    printf '#!/bin/sh\n%s\n' "$3" >"fake/$2"
    chmod 0755 "fake/$2"
    PATH=$PWD/fake:$PATH scopefs doctor | grep -A1 " $1: "
    rm "fake/$2"
}

names_the_mend() {
    like "an old bubblewrap" "$(doctor_with bubblewrap bwrap 'echo bubblewrap 0.7.0')" "less .*0\.7\.0.*--disable-userns"
    like "one with a known hole" "$(doctor_with bubblewrap bwrap 'echo bubblewrap 0.11.0')" "good .*CVE-2026-87766"
    unlike "one without" "$(doctor_with bubblewrap bwrap 'echo bubblewrap 0.12.0')" "CVE"
    like "one that makes no sandbox" "$(doctor_with bubblewrap bwrap \
        '[ "$1" = --version ] && echo bubblewrap 0.12.0 && exit; echo "bwrap: setting up uid map: Permission denied" >&2; exit 1')" \
        "less .*setting up uid map: Permission denied.*-> .*user namespaces"
    like "one that does not run" "$(doctor_with bubblewrap bwrap 'exit 1')" "less .*does not run.*apt install bubblewrap"
    like "a fusermount3 without its bit" "$(doctor_with fusermount3 fusermount3 'exit 1')" "is not setuid root.*apt install fuse3"
    if unshare --user --map-root-user true 2>/dev/null; then
        like "a host without user namespaces" "$(unshare --user --map-root-user bash -c \
            'echo 0 >/proc/sys/user/max_user_namespaces && scopefs doctor')" \
            "less +user namespaces: cannot be made .*-> sudo sysctl user.max_user_namespaces"
    else
        skip "this host gives ordinary users no user namespaces" "a host without user namespaces"
    fi
    like "the limits of a host" "$(scopefs doctor)" "limits: 1000 mounts .*max_user_instances"
    if ((EUID != 0)); then
        like "no runtime folder" "$(env -u XDG_RUNTIME_DIR "$(command -v scopefs)" doctor)" "less +runtime folder: /tmp/scopefs-.*-> .*XDG_RUNTIME_DIR"
        rmdir "/tmp/scopefs-$EUID/.run" "/tmp/scopefs-$EUID" 2>/dev/null
    fi
    make_scope
    scopefs mount -c "$config" sys-a "$workdir/m"
    kill -KILL "$(scopefs ps --json sys-a | sed -nE 's/.*"server_pid":([0-9]+).*/\1/p')"
    ok "a dead view" wait_for 'scopefs doctor | grep -A1 "views: .* [1-9][0-9]* dead" | grep -q "scopefs gc"'
    ok "which that takes away" eval 'wait_for "! is_mounted $workdir/m || ! scopefs gc"'
}

# The candidates for the last of the words.
complete_words() {
    local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _scopefs
    printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

completes_in_bash() {
    make_scope
    # shellcheck source=../../system/completion/scopefs
    . "$SCOPEFS_SRCDIR/system/completion/scopefs"
    is "commands" "$(complete_words scopefs exp)" explain
    is "options, as --help has them" "$(complete_words scopefs ps --)" "--help --json --watch"
    is "scopes" "$(complete_words scopefs up sys)" "sys-a sys-b"
    is "of the file that is named" "$(complete_words scopefs explain -c "$config" s)" "sys-a sys-b"
    is "paths in a scope" "$(complete_words scopefs explain sys-a s)" "src/"
    is "scopes for scopefs-exec" "$(complete_words scopefs-exec sys)" "sys-a sys-b"
}

# The same lines for both: LINE EXPECTED...
completion_lines() {
    cat <<'END'
scopefs exp	explain
scopefs up sys	sys-a sys-b
scopefs explain sys-a s	src/
scopefs explain sys-a src/	src/deep
scopefs ps --	--help --json --watch
scopefs explain -c scopefs.ini sys	sys-a sys-b
scopefs-exec sys	sys-a sys-b
scopefs-exec --js	--json
scopefs-mcp sys	sys-a sys-b
scopefs-mcp --conf	--config
END
}

completes_in_fish() {
    make_scope
    touch source/src/deep
    local line expected
    while IFS=$'\t' read -r line expected; do
        is "fish completes '$line'" "$(fish --no-config -c "source $SCOPEFS_SRCDIR/system/completion/scopefs.fish; complete -C'$line'" |
            cut -f1 | sort | paste -sd' ')" "$expected"
    done < <(completion_lines)
}

completes_in_zsh() {
    make_scope
    touch source/src/deep
    local line expected
    while IFS=$'\t' read -r line expected; do
        is "zsh completes '$line'" \
            "$(zsh -f "$SCOPEFS_SRCDIR/t/life/capture.zsh" "$SCOPEFS_SRCDIR/system/completion" "$line" | paste -sd' ')" "$expected"
    done < <(completion_lines)
}

for_each_user is_mounted_by_mount
for_each_user tells_the_service_manager
for_each_user probes_the_host
for_each_user names_the_mend
if ((EUID == 0)); then
    # /dev/fuse as some containers have it, in a mount namespace of its own.
    like "a device that is closed to users" "$(unshare --mount --propagation private bash -c '
        umask 077; : >"$0"; mount --bind "$0" /dev/fuse; exec "$@"' "$test_folder/closed" \
        setpriv --reuid=65534 --clear-groups env XDG_RUNTIME_DIR=/nowhere "$(shared_copy "$SCOPEFS_BUILDDIR" scopefs)/scopefs" doctor)" \
        "BROKEN +/dev/fuse: Permission denied.*-> sudo chmod 666 /dev/fuse"
    rmdir /tmp/scopefs-65534/.run /tmp/scopefs-65534 2>/dev/null
fi
new_workdir
cd "$workdir" || exit
completes_in_bash
completes_in_fish
completes_in_zsh
for unit in system user; do
    folder=$workdir/units-$unit
    mkdir "$folder"
    place=$SCOPEFS_BUILDDIR/system
    [[ $unit == system ]] || place=$place/user
    # Wherever the program will be installed, here is one.
    sed "s|=/[^ ]*/scopefs |=$SCOPEFS_BUILDDIR/scopefs |; s|man:scopefs[^ ]*||g" "$place/scopefs@.service" >"$folder/scopefs@.service"
    run systemd-analyze verify --man=no "--$unit" "$folder/scopefs@one.service"
    unlike "systemd knows all settings of the $unit unit" "$errors" 'scopefs@(one|\.).*(Unknown|Failed|ignoring)'
done
done_testing
