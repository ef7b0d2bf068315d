# shellcheck shell=bash
# What npm installs for the tests goes into the build folder, once for each lock file. Sourced after
# lib.sh.
# shellcheck disable=SC2034 # for those who source it

# Sets $packages, the folder, and $node, a Node that the newest of them run on.
install_packages() {
    local sum
    sum=$(cksum <"$SCOPEFS_SRCDIR/t/mcp/npm/package-lock.json")
    packages=$SCOPEFS_BUILDDIR/npm-${sum%% *}
    mkdir -p "$packages" || return
    (
        # Two tests may want them at the same time.
        flock 9
        cd "$packages" || exit
        [[ ! -e node_modules/.complete ]] || exit 0
        cp "$SCOPEFS_SRCDIR"/t/mcp/npm/*.json . && npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 || {
            diag "$(tail -n 5 npm.log)"
            exit 1
        }
        touch node_modules/.complete
    ) 9>"$packages.lock" || return
    node=$(compgen -G "$packages/node_modules/node-linux-*/bin/node")
}
