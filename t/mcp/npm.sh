# shellcheck shell=bash
# What npm installs for the tests goes into the build folder, once for each lock file. Sourced after
# lib.sh.
# shellcheck disable=SC2034 # for those who source it

sum=$(cksum <"$SCOPEFS_SRCDIR/t/mcp/npm/package-lock.json")
packages=$SCOPEFS_BUILDDIR/npm-${sum%% *}

# Prints why nothing can be installed here. CI has a network, or fails.
why_no_packages() {
    if ! command -v npm >/dev/null; then
        echo "npm is not installed"
    elif [[ ${CI:-} != true && ! -e $packages/node_modules/.complete ]]; then
        curl --silent --head --max-time 20 --output /dev/null "$(npm config get registry)" ||
            echo "npm's registry cannot be reached"
    fi
}

# Fills $packages, and sets $node, a Node that the newest of them run on.
install_packages() {
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
