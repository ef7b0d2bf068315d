# shellcheck shell=bash
# The library of the shell tests: TAP output, work folders that go away, views that are unmounted, and
# an ordinary user beside root. A test is a bash script that begins with
#
#     # shellcheck source=../lib.sh
#     . "${0%/*}/../lib.sh"
#
# and ends with done_testing. Every assertion takes its name first. In short:
#
#     ok NAME COMMAND...          the command succeeds        fails NAME COMMAND...   it does not
#     exits NAME STATUS COMMAND...                            it ends with that status
#     is NAME GOT EXPECTED        like NAME GOT REGEX         unlike NAME GOT REGEX
#     pass NAME    flunk NAME     diag TEXT...                skip REASON NAME    skip_all REASON
#     run COMMAND...              sets $output, $errors and $status
#     new_workdir                 sets $workdir, an empty folder of the present user
#     write_config <<END          writes $workdir/scopefs.ini, sets $config
#     mount_view SCOPE...         mounts each at $workdir/views/SCOPE, sets $view to the last one
#     unmount_view [PATH]         $view, or the view at PATH
#     as_user COMMAND...          as the ordinary user when root, else as it is
#     for_each_user FUNCTION      runs the function as root (if we are) and as an ordinary user
#     runtime_folder              prints the folder of the present user's views and their logs
#     wait_for CONDITION [SECONDS]   evaluates the shell text until it is true
#     is_sanitized                with address, thread or undefined behaviour sanitizers built in
#     shared_copy PATH            prints a path of the same content that every user can read
#
# $output and $errors lose trailing newlines. Functions given to for_each_user must find all they need
# in functions, in exported variables whose names begin with TEST_, and in a work folder of their own,
# which they are given: for another user they run in another bash.

set -u -o pipefail
export LC_ALL=C

SCOPEFS_SRCDIR=${SCOPEFS_SRCDIR:-$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)}
SCOPEFS_BUILDDIR=${SCOPEFS_BUILDDIR:-$SCOPEFS_SRCDIR/build}
SCOPEFS_SRCDIR=$(cd "$SCOPEFS_SRCDIR" && pwd)
SCOPEFS_BUILDDIR=$(cd "$SCOPEFS_BUILDDIR" && pwd) || exit 1
export SCOPEFS_SRCDIR SCOPEFS_BUILDDIR

# What a host may lack. Any other reason to skip is a failure in CI, where nobody reads the skips.
test_permitted_skips=(
    "started by an ordinary user"
    "this host gives ordinary users no user namespaces"
    "this kernel has no autofs"
    "this file system has no user.* attributes"
    "cargo is not installed"
    "a build with sanitizers has no shared library"
    "this machine is too slow for all checks within the hour"
)
test_user=scopefs-test
test_prefix=
workdir=

# --- TAP ---

test_say() { # LINE
    printf '.' >>"$test_folder/count"
    printf '%s\n' "$1"
}

diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }

pass() { test_say "ok - $test_prefix$1"; }

flunk() {
    test_say "not ok - $test_prefix$1"
    printf 'x' >>"$test_folder/failures"
    return 1
}

test_diag_run() {
    diag "exit status $status"
    [[ -z $output ]] || diag "stdout: $output"
    [[ -z $errors ]] || diag "stderr: $errors"
}

run() {
    # Descriptors 3 and up stay closed to the command, so that a daemon it starts keeps nothing open.
    "$@" >"$workdir/.stdout" 2>"$workdir/.stderr" </dev/null
    status=$?
    # NULs cannot be held by a variable, and bash complains about them.
    output=$(tr -d '\0' <"$workdir/.stdout")
    errors=$(tr -d '\0' <"$workdir/.stderr")
}

exits() {
    local name=$1 expected=$2
    shift 2
    run "$@"
    if ((status == expected)); then
        pass "$name"
        return
    fi
    flunk "$name"
    diag "ran: $*; expected exit status $expected"
    test_diag_run
    return 1
}

ok() {
    local name=$1
    shift
    exits "$name" 0 "$@"
}

fails() {
    local name=$1
    shift
    run "$@"
    if ((status != 0)); then
        pass "$name"
        return
    fi
    flunk "$name"
    diag "ran: $*; expected it to fail"
    test_diag_run
    return 1
}

is() {
    if [[ $2 == "$3" ]]; then
        pass "$1"
        return
    fi
    flunk "$1"
    diag "     got: $2"
    diag "expected: $3"
    return 1
}

like() {
    if [[ $2 =~ $3 ]]; then
        pass "$1"
        return
    fi
    flunk "$1"
    diag "         got: $2"
    diag "should match: $3"
    return 1
}

unlike() {
    if [[ ! $2 =~ $3 ]]; then
        pass "$1"
        return
    fi
    flunk "$1"
    diag "             got: $2"
    diag "should not match: $3"
    return 1
}

test_skip_is_permitted() {
    local reason
    for reason in "${test_permitted_skips[@]}"; do
        [[ $1 == "$reason"* ]] && return 0
    done
    [[ ${CI:-} != true ]]
}

skip() {
    if test_skip_is_permitted "$1"; then
        test_say "ok - $test_prefix$2 # SKIP $1"
    else
        flunk "$2 (skipped: $1, which is not on the list of permitted skips)"
    fi
}

skip_all() {
    if test_skip_is_permitted "$1"; then
        echo "1..0 # SKIP $1"
        exit 0
    fi
    flunk "nothing was tested: $1, which is not on the list of permitted skips"
    done_testing
}

# Before a check that takes minutes.
skip_when_late() {
    ((EPOCHSECONDS <= ${SCOPEFS_HOUSE_UNTIL:-EPOCHSECONDS})) ||
        skip_all "this machine is too slow for all checks within the hour; ./bootstrap check-house has them"
}

# Without it there is no plan, and prove counts the test as failed: a test cannot end early unseen.
done_testing() {
    echo "1..$(wc -c <"$test_folder/count")"
    [[ ! -s $test_folder/failures ]]
    exit
}

# A build with sanitizers gives their runtime the system calls that it needs.
is_sanitized() { grep -q '^#define SANITIZED 1' "$SCOPEFS_BUILDDIR/config.h"; }

# --- Work folders and their end ---

# Prints the mount points at or below a folder, the last mounted first, NUL-terminated.
test_mounts_below() {
    local place line
    while read -r -a line; do
        printf -v place '%b' "${line[4]//\\/\\0}"
        [[ $place == "$1" || $place == "$1"/* ]] && printf '%s\0' "$place"
    done < <(cat /proc/self/mountinfo) | tac -s ''
}

# A view whose daemon died can still be unmounted, but no longer looked at. One that was killed while it
# told the kernel of a change still holds the connection, so that whoever asks waits forever: force
# breaks it, lest one such view stops all later tests.
test_unmount() {
    if ((EUID == 0)); then
        timeout 10 umount -- "$1" || timeout 10 umount --force -- "$1" || umount --lazy -- "$1"
    else
        timeout 10 fusermount3 -u -- "$1" || fusermount3 -u -z -- "$1"
    fi
}

test_unmount_below() {
    local place
    while IFS= read -r -d '' place; do
        test_unmount "$place" 2>/dev/null
    done < <(test_mounts_below "$1")
}

test_remove_folder() {
    test_unmount_below "$1"
    chmod -R u+rwX -- "$1" 2>/dev/null
    rm -rf --one-file-system -- "$1"
}

test_clean_up() {
    local jobs
    jobs=$(jobs -p)
    # shellcheck disable=SC2086 # a list of numbers
    [[ -z $jobs ]] || kill $jobs 2>/dev/null
    cd / || return
    test_remove_folder "$test_folder"
}

# What a run that was killed outright left behind. Folders of running tests are left alone.
test_sweep() {
    local folder owner
    for folder in "${TMPDIR:-/tmp}"/scopefs-{t,demo}.[0-9]*.*; do
        owner=${folder##*/scopefs-}
        owner=${owner#*.}
        [[ -O $folder && ! -d /proc/${owner%%.*} ]] && test_remove_folder "$folder"
    done
}

test_prepare_home() { # FOLDER
    mkdir -p "$1/home" "$1/run" && chmod 0700 "$1/run"
    printf '[user]\n\tname = Test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n' \
        >"$1/home/.gitconfig"
}

# The variables that a test body finds, whoever runs it.
test_environment() { # FOLDER
    export HOME=$1/home XDG_RUNTIME_DIR=$1/run GIT_CONFIG_NOSYSTEM=1
    # A server with a data race ends, and so does what uses its view; a report alone nobody reads.
    export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
    # libfuse forgets the path of a session that is given up while another process serves it.
    echo 'leak:fuse_session_mount' >"$1/known-leaks"
    export LSAN_OPTIONS="suppressions=$1/known-leaks:print_suppressions=0"
    unset XDG_CONFIG_HOME GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE MAKEFLAGS MAKELEVEL MFLAGS
    export PATH=$test_programs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

new_workdir() {
    workdir=$(mktemp -d "$test_home_folder/work.XXXXXX") && chmod 0755 "$workdir"
}

write_config() {
    config=$workdir/scopefs.ini
    sed "${TEST_CACHE:+/^source *=/a cache = $TEST_CACHE}" >"$config"
}

mount_view() {
    local scope
    for scope in "$@"; do
        view=$workdir/views/$scope
        mkdir -p "$view"
        run scopefs mount -c "$config" "$scope" "$view"
        if ((status != 0)); then
            flunk "the view $scope is mounted"
            test_diag_run
            return 1
        fi
    done
}

unmount_view() {
    local place=${1:-$view}
    run scopefs umount "$place"
    ((status == 0)) && return
    flunk "$place is unmounted"
    test_diag_run
    return 1
}

# Where the present user's views have their logs and run files.
runtime_folder() { if ((EUID == 0)); then echo /run/scopefs; else echo "$XDG_RUNTIME_DIR/scopefs"; fi; }

wait_for() {
    local condition=$1 seconds=${2:-10} end
    end=$((${EPOCHREALTIME/./} + seconds * 1000000))
    until eval "$condition"; do
        if ((${EPOCHREALTIME/./} > end)); then
            diag "after $seconds seconds still not true: $condition"
            return 1
        fi
        sleep 0.01
    done
}

# --- A world of one's own ---

# For a test that another one's views, or their cleaning, would disturb. Where it is root, it begins with
#     [[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
#         SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# before it sources this file, and then calls this: nobody else's views, and a /run that is empty.
enter_own_world() {
    ((EUID == 0)) || return 0
    while umount --lazy --all --types fuse.scopefs 2>/dev/null && grep -q ' fuse\.scopefs ' /proc/self/mounts; do :; done
    mount -t tmpfs -o mode=0755 world /run
}

# --- The ordinary user ---

as_user() {
    if ((EUID != 0)); then
        "$@"
        return
    fi
    test_prepare_user || return 1
    local variables=() name
    for name in $(compgen -e TEST_) $(compgen -e SCOPEFS_) CI; do
        [[ ! -v $name ]] || variables+=("$name=${!name}")
    done
    setpriv --reuid="$test_user" --regid="$test_user" --init-groups env -i "${variables[@]}" \
        HOME="$test_user_folder/home" XDG_RUNTIME_DIR="$test_user_folder/run" LC_ALL=C \
        USER="$test_user" LOGNAME="$test_user" GIT_CONFIG_NOSYSTEM=1 TMPDIR="${TMPDIR:-/tmp}" \
        PATH="$test_user_programs:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" "$@"
}

test_create_user() {
    getent passwd "$test_user" >/dev/null && return
    useradd --system --user-group --no-create-home --shell /bin/sh "$test_user" 2>/dev/null
    # Another test may have been faster.
    getent passwd "$test_user" >/dev/null || {
        diag "cannot create the user $test_user"
        return 1
    }
}

# Once per test; says why when the host is not ready for it.
test_prepare_user() {
    [[ ! -e $test_user_folder ]] || return 0
    test_create_user || return 1
    test_prepare_home "$test_user_folder"
    chown -R "$test_user:" "$test_user_folder" "$test_folder/count" "$test_folder/failures"
    if ! setpriv --reuid="$test_user" --clear-groups --regid="$test_user" test -w /dev/fuse; then
        diag "/dev/fuse is not open to ordinary users; mend it with: chmod 0666 /dev/fuse"
    fi
    test_user_programs=$(shared_copy "$SCOPEFS_BUILDDIR" scopefs scopefs-exec scopefs-stage2 \
        scopefs-network scopefs-mcp scopefs-mcp-worker presets)
}

# For a folder, only the named entries are copied. The path itself is printed when the ordinary user
# can reach it; the checkout may well lie in root's home.
shared_copy() {
    local path=$1 place
    shift
    ((EUID == 0)) || {
        printf '%s\n' "$path"
        return
    }
    test_create_user || return 1
    if setpriv --reuid="$test_user" --regid="$test_user" --clear-groups \
        test -r "$path${1:+/$1}"; then
        printf '%s\n' "$path"
        return
    fi
    place=$test_folder/shared/${path//\//_}
    mkdir -p "$test_folder/shared"
    if (($# == 0)); then
        cp -rL "$path" "$place"
    else
        mkdir -p "$place"
        (cd "$path" && cp -rL --parents "$@" "$place")
    fi
    chmod -R a+rX "$test_folder/shared"
    printf '%s\n' "$place"
}

test_run_body() { # FUNCTION
    new_workdir
    cd "$workdir" || return 1
    "$1"
    cd / || return 1
    test_unmount_below "$workdir"
}

# Runs a test's body as the ordinary user only.
for_ordinary_user() { # FUNCTION
    local body=$1
    if ((EUID != 0)); then
        (
            test_run_body "$body"
            exit 0
        ) || flunk "$body runs to its end"
        return
    fi
    if ! test_prepare_user; then
        flunk "$body as an ordinary user"
        return
    fi
    {
        echo "set -u -o pipefail"
        declare -p test_permitted_skips test_user test_folder test_user_folder test_user_programs
        declare -f
        echo "test_prefix='user: '"
        cat <<'END'
test_home_folder=$test_user_folder test_programs=$test_user_programs workdir=
test_environment "$test_user_folder"
END
        echo "test_run_body $body; exit 0"
    } >"$test_folder/body"
    as_user bash "$test_folder/body" || flunk "$body runs to its end as an ordinary user"
}

# A body that dies of an unset variable, say, would be a test that asserts nothing.
for_each_user() {
    local body=$1
    if ((EUID == 0)); then
        (
            test_prefix="root: "
            test_run_body "$body"
            exit 0
        ) || flunk "$body runs to its end as root"
    else
        skip "started by an ordinary user" "$body as root"
    fi
    for_ordinary_user "$body"
}

test_sweep
# The process id tells whose it is, see test_sweep.
test_folder=$(mktemp -d "${TMPDIR:-/tmp}/scopefs-t.$$.XXXXXX") || exit 1
chmod 0755 "$test_folder"
touch "$test_folder/count" "$test_folder/failures"
test_home_folder=$test_folder
test_user_folder=$test_folder/user
test_programs=$SCOPEFS_BUILDDIR
test_user_programs=$SCOPEFS_BUILDDIR
trap test_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
test_prepare_home "$test_folder"
test_environment "$test_folder"
