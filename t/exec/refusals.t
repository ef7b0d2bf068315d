#!/bin/bash
# Where a command cannot be isolated it is not run, and what is missing is said with the mend.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

# The rest of the host as it is, with a mount of one's own over one place.
with_mount() { # BWRAP_MOUNT_OPTIONS... -- COMMAND...
    bwrap --dev-bind / / "$@"
}

refuses() { # NAME REGEX COMMAND...
    local name=$1 regex=$2
    shift 2
    exits "$name: refused" 125 "$@"
    is "$name: nothing has run" "$output" ""
    like "$name: the cause and the mend are said" "$errors" "$regex"
}

lacking_host() {
    # Each of these takes something away from the caller, which root would not notice.
    ((EUID != 0)) || return
    make_project
    refuses "no bwrap" "bubblewrap.*apt install bubblewrap" \
        with_mount --bind /dev/null /usr/bin/bwrap -- scopefs-exec -c "$config" "$scope" echo run
    refuses "no /dev/fuse" "/dev/fuse.*modprobe fuse" \
        with_mount --dev /dev -- scopefs-exec -c "$config" "$scope" echo run

    mkdir -p "views/$scope"
    ok "the view is mounted beforehand" scopefs mount -c "$config" "$scope"
    refuses "user namespaces used up" "cannot isolate a command: .*max_user_namespaces" \
        with_mount --unshare-user --disable-userns -- scopefs-exec -c "$config" "$scope" echo run
    # shellcheck disable=SC2016
    refuses "user namespaces off" "no user namespaces.*sysctl -w user.max_user_namespaces" \
        unshare --user --map-current-user --keep-caps sh -c '
            echo 0 >/proc/sys/user/max_user_namespaces &&
            exec setpriv --inh-caps=-all --ambient-caps=-all "$@"' sh \
        scopefs-exec -c "$config" "$scope" echo run
    unmount_view "$workdir/views/$scope"
    is "nothing is left behind" "$(leftovers)" ""
}

other_bwrap() {
    make_project
    mkdir bin
    cp /usr/bin/bwrap bin/bwrap
    chmod u+s bin/bwrap
    refuses "a set-user-ID bwrap" "bin/bwrap is set-user-ID.*chmod u-s .*/bin/bwrap" \
        env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" echo run
    printf '#!/bin/sh\necho "bwrap: Unknown option --disable-userns" >&2\nexit 1\n' >bin/bwrap
    chmod 0755 bin/bwrap
    refuses "an old bwrap" "Unknown option --disable-userns.*0.8.0 or newer is needed" \
        env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" echo run
    # As in a container that masks /proc.
    printf '#!/bin/sh\necho "bwrap: Can'"'"'t mount proc on /newroot/proc: Operation not permitted" >&2\nexit 1\n' >bin/bwrap
    refuses "a masked /proc" "systempaths=unconfined" \
        env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" echo run
    # One that claims success without having done anything.
    printf '#!/bin/sh\nexit 0\n' >bin/bwrap
    refuses "a bwrap that does nothing" "." \
        env PATH="$workdir/bin:$PATH" scopefs-exec -c "$config" "$scope" echo run
}

lacking_installation() {
    local folder
    make_project
    folder=$(dirname "$(command -v scopefs-exec)")
    mkdir programs
    cp -rL "$folder/scopefs" "$folder/scopefs-exec" "$folder/presets" programs/
    refuses "no scopefs-stage2" "scopefs-stage2 is missing" \
        programs/scopefs-exec -c "$config" "$scope" echo run
    rm programs/scopefs
    refuses "no scopefs" "cannot be run|could not be mounted" \
        programs/scopefs-exec -c "$config" "$scope" echo run
    is "nothing is left behind" "$(leftovers)" ""
}

users() {
    make_project
    sed -i '/^source/a user = no-such-user' "$config"
    if ((EUID != 0)); then
        return
    fi
    refuses "a user who does not exist" "no user 'no-such-user'.*useradd" in_sandbox echo run
    sed -i 's/^user = .*/user = root/' "$config"
    refuses "root as the user" "never run as root" in_sandbox echo run
    test_prepare_user
    sed -i "s/^user = .*/user = $test_user/" "$config"
    run in_sandbox id -u
    is "an ordinary user is changed to" "$output" "$(id -u "$test_user")"
    run sandbox_shell 'echo x >output/new'
    is "and writes where the rules allow it" "$(<source/output/new)" x
}

for_each_user lacking_host
for_each_user other_bwrap
for_each_user lacking_installation
for_each_user users
done_testing
