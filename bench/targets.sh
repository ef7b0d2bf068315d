# shellcheck shell=bash
# The directories that the benchmark compares: the plain one, and mounts of copies of it. Each target
# NAME has a folder $work/NAME with `source` (its copy), `view` (where it is mounted) and its
# configuration. Sourced by bench/run, after t/lib.sh.
# shellcheck disable=SC2154 # what these set

target_names=()
declare -A target_commands=() target_is_root=()

# COMMAND finds $SOURCE, $VIEW and $CONFIG.
add_target() { # NAME COMMAND
    target_names+=("$1")
    target_commands[$1]=$2
    [[ $1 == *@root ]] && target_is_root[$1]=yes
}

add_usual_targets() {
    local mount='scopefs mount -c "$CONFIG" bench "$VIEW"'
    add_target native ''
    if command -v bindfs >/dev/null; then
        add_target bindfs 'bindfs --no-allow-other "$SOURCE" "$VIEW"'
        add_target bindfs-tuned 'bindfs --no-allow-other --multithreaded -o \
attr_timeout=60,entry_timeout=60,negative_timeout=60,kernel_cache "$SOURCE" "$VIEW"'
    else
        say "bindfs is not installed, so it is left out; install it with: bench/run --install"
    fi
    add_target scopefs "$mount"
    add_target exclusive "$mount"
    ((EUID == 0)) || return 0
    add_target scopefs@root "$mount"
    ! pkg-config --atleast-version=3.17 fuse3 || add_target passthrough@root "$mount"
}

# A command that does not say where to mount is the scopefs program to use.
add_own_target() { # NAME=COMMAND
    local name=${1%%=*} command=${1#*=}
    [[ $name =~ ^[a-zA-Z0-9._-]+(@root)?$ && -n $command ]] || fail "not NAME=COMMAND: $1"
    [[ $name != *@root ]] || ((EUID == 0)) || fail "$name can only be mounted by root"
    [[ $command == *'$VIEW'* ]] || command+=' mount -c "$CONFIG" bench "$VIEW"'
    add_target "$name" "$command"
}

choose_targets() { # NAME,NAME...
    local wanted name chosen=()
    IFS=, read -r -a wanted <<<"$1"
    for name in "${wanted[@]}"; do
        [[ -v target_commands[$name] ]] || fail "no such target: $name (${target_names[*]})"
        chosen+=("$name")
    done
    target_names=("${chosen[@]}")
}

# Thirty rules of the kinds that people write. Nearly all of the tree stays visible and writable, so
# that every target does the same work; the files that are hidden are about one in four hundred.
write_rules() { # SOURCE NAME
    printf '[scope bench]\nsource = %s\n' "$1"
    [[ ! -v target_is_root[$2] ]] || printf 'user = %s\n' "$test_user"
    [[ $2 != passthrough* ]] || echo 'passthrough = yes'
    [[ $2 != exclusive ]] || echo 'cache = exclusive'
    cat <<'RULES'
default = none

[rules bench]
read  = /
write = /*/
read  = /tree/a/
read  = /tree/*/module-*3/
write = /tree/*/module-*3/part-[0-4]/
read  = vendor/
read  = third_party/**/*.c
read  = /tree/**/generated-*.json
write = /repository/
write = /scratch/
view  = /contracts/
view  = *.pdf.draft
none  = /private/
none  = /tree/**/internal/
none  = **/node_modules/*/.cache/
none  = core.[0-9]*

[ceiling bench]
none  = .env
none  = .env.*
none  = *.pem
none  = *.key
none  = *.kdbx
none  = id_{rsa,ed25519}*
none  = credentials*
none  = secrets/
none  = .aws/
none  = .ssh/
none  = .gnupg/
none  = .netrc
none  = *[-_.]service-account.json
read  = /repository/.git/hooks/
RULES
}

target_place() { # NAME
    if [[ $1 == native ]]; then
        printf '%s\n' "$work/native/source"
    else
        printf '%s\n' "$work/$1/view"
    fi
}

target_runs() { # NAME COMMAND...
    local name=$1
    shift
    if [[ -v target_is_root[$name] ]]; then
        "$@"
    else
        as_user "$@"
    fi
}

prepare_target() { # NAME SOURCE
    [[ -d $work/$1/view ]] || as_user mkdir -p "$work/$1/view"
    write_rules "$2" "$1" >"$work/$1/scopefs.ini"
}

# Prints the seconds that the command takes to return; the view can be used then.
mount_target() { # NAME SOURCE
    prepare_target "$1" "$2"
    export SCOPEFS_BENCH_SOURCE=$2 SCOPEFS_BENCH_VIEW=$work/$1/view
    export SCOPEFS_BENCH_CONFIG=$work/$1/scopefs.ini
    target_runs "$1" "$SCOPEFS_BENCH_HELPERS/measure" run bash -c \
        'SOURCE=$SCOPEFS_BENCH_SOURCE VIEW=$SCOPEFS_BENCH_VIEW CONFIG=$SCOPEFS_BENCH_CONFIG
        '"${target_commands[$1]}" </dev/null
}

unmount_target() { # NAME
    [[ $1 == native ]] || test_unmount "$work/$1/view"
}

# The processes that were started with the view's path: the server and, for scopefs, its supervisor.
target_processes() { # NAME
    local file argument
    for file in /proc/[0-9]*/cmdline; do
        while IFS= read -r -d '' argument; do
            [[ $argument != "$work/$1/view" ]] || basename "${file%/cmdline}"
        done 2>/dev/null <"$file"
    done
}

# The library that the server has loaded, as far as we may look.
target_libfuse() { # NAME
    local process library
    for process in $(target_processes "$1"); do
        library=$(sed -n 's|.*/libfuse3\{0,1\}\.so\.||p' "/proc/$process/maps" 2>/dev/null | head -1)
        [[ -z $library ]] || {
            printf '%s\n' "$library"
            return
        }
    done
}
