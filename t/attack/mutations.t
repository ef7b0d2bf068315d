#!/bin/bash
# Whether the tests of attacks would notice: takes one check out of a copy of the source, builds that,
# and runs the test that has to fail then. For `make check-long`; half an hour.
#
#     SCOPEFS_BUILDDIR=build prove -v t/attack/mutations.t [:: NAME...]     only these
#     ... t/attack/mutations.t :: --fit     whether each check that is taken out is still there; seconds
set -u -o pipefail

SCOPEFS_SRCDIR=${SCOPEFS_SRCDIR:-$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}
SCOPEFS_BUILDDIR=${SCOPEFS_BUILDDIR:-$SCOPEFS_SRCDIR/build}
fit_only=
[[ ${1:-} != --fit ]] || { fit_only=yes && shift; }
wanted=("$@")
count=0 failures=0

say() { # ok|not ok, TEXT
    printf '%s %d - %s\n' "$1" $((++count)) "$2"
    [[ $1 == ok ]] || ((failures++))
}

# Replaces the one place that holds the text, so that a check that was rewritten is missed by nobody.
replace() { # FILE OLD NEW
    OLD=$2 NEW=$3 perl -0pi -e '
        my $found = () = /\Q$ENV{OLD}\E/g;
        die "$ARGV: found $found times: $ENV{OLD}\n" if $found != 1;
        s/\Q$ENV{OLD}\E/$ENV{NEW}/' "$1"
}

build() { # TEST
    local program=
    [[ $1 == *.t ]] || program=t/$1
    # shellcheck disable=SC2086 # one word or none
    make -C "$folder/build" scopefs scopefs-exec scopefs-stage2 scopefs-mcp scopefs-mcp-worker $program >"$folder/log" 2>&1
}

# Runs the test until something in it fails.
test_fails() { # TEST
    local words=("$folder/build/t/$1")
    [[ $1 != *.t ]] || words=(bash "$folder/source/t/$1")
    SCOPEFS_SRCDIR=$folder/source SCOPEFS_BUILDDIR=$folder/build SCOPEFS_TEST_DEATHS=3 \
        SCOPEFS_TEST_RACE_MS=500 timeout 900 "${words[@]}" >"$folder/log" 2>&1 &
    local process=$!
    while kill -0 "$process" 2>/dev/null && ! grep -q '^not ok' "$folder/log"; do
        sleep 0.2
    done
    kill "$process" 2>/dev/null
    ! wait "$process"
}

replace_all() { # FILE OLD NEW [OLD NEW]...
    local file=$1
    for (( ; $# > 2; )); do
        replace "$file" "$2" "$3" || return
        shift 2
    done
}

mutate() { # NAME TEST FILE OLD NEW [OLD NEW]...: several where one check stands behind another
    local name=$1 test=$2 file=$folder/source/$3
    ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $name "* ]] || return
    cp -p "$file" "$folder/kept"
    if ! replace_all "$file" "${@:4}"; then
        say "not ok" "$name: the mutation fits $3"
    elif [[ $fit_only ]]; then
        say ok "$name: the mutation fits $3"
    elif ! build "$test"; then
        say "not ok" "$name: what is left of $3 can be built"
        tail -n 5 "$folder/log" | sed 's/^/# /'
    elif test_fails "$test"; then
        say ok "$name: without it $test fails: $(sed -n 's/^not ok [0-9]* *-* *//p' "$folder/log" | head -n 1)"
    else
        say "not ok" "$name: without it $test fails"
    fi
    cp "$folder/kept" "$file"
    touch "$file"
}

folder=$(mktemp -d "${TMPDIR:-/tmp}/scopefs-mutations.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
mkdir "$folder/source" "$folder/build"
tar -C "$SCOPEFS_SRCDIR" --exclude=.git --exclude="./${SCOPEFS_BUILDDIR##*/}" -cf - . |
    tar -C "$folder/source" -xf - || exit 1
[[ $fit_only ]] || (cd "$folder/build" && "$folder/source/configure" -q CFLAGS=-O1 >"$folder/log" 2>&1 &&
    make -j"$(nproc)" all t/attack/{aliases,load,moved,race,reload_client,table,twins} \
        t/attack/fold_shim.so >"$folder/log" 2>&1) || {
    tail -n 5 "$folder/log"
    echo "Bail out! the copy cannot be built"
    exit 1
}

# --- what a level answers ---
mutate hidden attack/table.t fuse/guard.c \
    '{ENOENT, ENOENT, ENOENT, ENOENT, EACCES}' '{0, 0, ENOENT, ENOENT, EACCES}'
mutate twin attack/table.t fuse/guard.c \
    '{ENOENT, ENOENT, ENOENT, ENOENT, EACCES}' '{ENOENT, ENOENT, ENOENT, ENOENT, 0}'
mutate read-only attack/table.t fuse/guard.c \
    '[LEVEL_READ] = {0, 0, EACCES, EPERM, EACCES}' '[LEVEL_READ] = {0, 0, 0, 0, EACCES}'
mutate listing attack/table.t fuse/snapshot.c \
    'return state_is_way_through(own) && is_directory(fd, found);' 'return true;'
mutate constants attack/table.t fuse/attributes.c \
    'if (S_ISDIR(attributes->st_mode) && state_may_hide(state)) {' 'if (false) {'
mutate order attack/table.t fuse/snapshot.c 'if (snapshot->count > 1)' 'if (false)'
mutate setuid attack/table.t fuse/operation_setattr.c 'if (added & (S_ISUID | S_ISGID))' 'if (false)'
mutate attributes attack/table.t fuse/operation_xattr.c \
    'return strncmp(name, "user.", 5) == 0;' 'return *name;'
mutate truncation attack/table.t fuse/operation_open.c \
    'return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);' \
    'return (flags & O_ACCMODE) != O_RDONLY;'
mutate link attack/aliases.t fuse/operation_name.c \
    'guard_node(view, hold.node, WANT_CHANGE, "link")' 'guard_node(view, hold.node, WANT_READ, "link")'

# --- which object a path leads to ---
mutate symlinks attack/aliases.t fuse/resolve.c 'RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |' \
    'RESOLVE_BENEATH |'
mutate mounts attack/mounts.t fuse/resolve.c '(view->submounts ? 0u : RESOLVE_NO_XDEV)' '0u'
mutate place attack/mounts.t fuse/mount_point.c \
    'if (is_below(place, source))' 'if (strcmp(place, source) == 0)'
mutate folding attack/mounts.t fuse/folding.c 'if (!has_flag(fd)) {' 'if (true || has_flag(fd)) {'
mutate identity attack/aliases.t fuse/object.c \
    'return node->id == NODE_ROOT_ID || node_is(view->nodes, node, found);' \
    'return found && (node || view);'
mutate fifo attack/aliases.t fuse/operation_open.c \
    'bool is_file = fd >= 0 && S_ISREG(found->type);' 'bool is_file = fd >= 0;' \
    'return S_ISREG(attributes->st_mode) ? resolve_reopen(view, fd, source_flags(flags)) : -ENXIO;' \
    'return resolve_reopen(view, fd, source_flags(flags));'
mutate appearing attack/aliases.t fuse/operation_open.c \
    'if (!S_ISREG(identity.type))
        return -ESTALE;' ''
mutate rename attack/aliases.t fuse/operation_rename.c \
    'if (!state_equivalent(from->state, to->state))' 'if (false)'
mutate rename-node attack/aliases.t fuse/node_rename.c \
    'return !S_ISDIR(node->identity.type) ||' 'return true ||'

# --- new rules ---
mutate held attack/reload.t fuse/open_data.c \
    'open->node ? guard_node(open->view, open->node, want, operation) : -open->fd;' \
    'open->node && operation ? 0 : -open->fd;'
mutate locks attack/reload.t fuse/operation_lock.c \
    'return gives_back ? 0 : guard_node(view, handle->node, WANT_READ, operation);' \
    'return gives_back || view || operation ? 0 : EIO;'
mutate pages attack/reload.t fuse/reload.c \
    'fuse_lowlevel_notify_inval_inode(view->session, node->id, 0, 0);' ''
mutate names attack/reload.t fuse/reload.c \
    'cache_forget_names(view);
    forget_stale(view, &rebase);' 'forget_stale(view, &rebase);'
mutate states attack/reload.t fuse/reload.c \
    'node_tree_each(view->nodes, update_node, &rebase);' '(void)update_node;'

# --- users, resources, processes ---
mutate user attack/users.t fuse/session.c \
    'uid_t user = plan->for_one_user ? plan->user : geteuid();
    gid_t' 'uid_t user = geteuid();
    gid_t'
mutate capabilities attack/users.t fuse/confine.c 'if (privilege_drop(error) < 0)' 'if (false)'
mutate dumpable attack/confined fuse/confine.c 'prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)' '0'
mutate calls attack/users.t fuse/confine.c 'return restrict_calls(error);' \
    'return false ? restrict_calls(error) : 0;'
mutate paths attack/confined fuse/confine.c 'if (restrict_paths(view, error) < 0)' \
    'if (false && restrict_paths(view, error) < 0)'
mutate owner attack/users.t fuse/control.c '(peer.uid == 0 || peer.uid == geteuid())' 'true'
mutate quota attack/limits.t fuse/budget.c \
    'return used <= budget->bytes && growth <= budget->bytes - used;' 'return growth > 0 || used;'
mutate budget attack/limits.t fuse/node_kept.c '!is_kept(tree, &node->identity)' \
    '(is_kept(tree, &node->identity) || true)'
mutate death attack/death.t fuse/supervisor.c 'bool killed = WIFSIGNALED(status);' \
    'bool killed = false;'
mutate workspace attack/workspace.t exec/stage2.c 'if (!request->check_device)' 'if (true)'
mutate rules attack/planted.t rules/config.c 'deciding_files_protect(&loader, ini->name);' \
    '(void)deciding_files_protect;'
mutate unmount attack/mounts.t fuse/unmount.c '.resolve = RESOLVE_NO_SYMLINKS,' '.resolve = 0,'

# --- scopefs-mcp over HTTP ---
mutate token mcp/http.t mcp/http_check.c '(token && !token_is_for(token, name))' '(token && false)'
mutate served mcp/server.t mcp/http_check.c '!is_served(request->http->settings, name)' 'false'
mutate session mcp/http.t mcp/http_session.c \
    'principal_equal(&session->principal, principal)' '(principal != NULL)'
mutate hosts mcp/http.t mcp/http_check.c 'if (!host_is_ours(wanted->host, &settings->hosts))' 'if (false)'
mutate origins mcp/http.t mcp/http_check.c 'if (!origin_is_ours(' 'if (false && !origin_is_ours('
mutate doubled mcp/http.t mcp/http_check.c 'if (wanted->is_doubled ||' 'if ('
mutate headers mcp/http.t mcp/protocol.c 'if (wrong)' 'if (wrong && !method)'
mutate peer mcp/server.t mcp/http_connection.c '(peer.uid == geteuid() || peer.uid == 0)' 'true'
mutate tokens-file mcp/http.t mcp/tokens.c 'if (status.st_mode & 077)' 'if (false)'
mutate revoked mcp/server.t mcp/http.c 'if (!token || !token_is_for(token, served->name))' 'if (false)'

printf '1..%d\n' "$count"
exit $((failures > 0))
