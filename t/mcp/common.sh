# shellcheck shell=bash
# What the tests of scopefs-mcp share. Sourced after lib.sh, whose variables these are:
# shellcheck disable=SC2154

# A project with a path of each level, and a scope on it; further lines of the ini file are read from
# standard input. Its name is this process's own, because all of root's tests share a runtime folder.
make_scope() {
    scope=mcp-$$
    export TEST_SCOPE=$scope
    mkdir -p source/{open,listed,hidden}
    echo readable >source/readable
    echo listed >source/listed/file
    echo hidden >source/hidden/file
    echo writable >source/open/file
    # Root's agents are another user, for whom the view shows the files as their own.
    write_config <<END
[scope $scope]
source = source
default = read

[rules $scope]
view  = /listed/
none  = /hidden/
write = /open/
END
    cat >>"$config"
    export TEST_CONFIG=$config
}

# The ordinary user may not be able to read the checkout.
export TEST_MCP
TEST_MCP=$(shared_copy "$SCOPEFS_SRCDIR/t/mcp")

# Runs a Python test in the present folder and takes over its lines.
python_test() { # FILE [ARGUMENT...]
    local line
    while IFS= read -r line; do
        case $line in
        "ok - "*) pass "${line#ok - }" ;;
        "not ok - "*) flunk "${line#not ok - }" ;;
        *) diag "$line" ;;
        esac
    done < <(TEST_MCP_FOLDER=$TEST_MCP python3 "$TEST_MCP/$1" "${@:2}" 2>&1 || echo "not ok - it ended with status $?")
}

# Several scopes, each on a folder of its own with a file that says whose it is. Their names end in a
# number of this process's own; $TEST_SCOPES has them.
make_scopes() { # NAME...
    local name
    export TEST_NUMBER=$$ TEST_SCOPES="${*/%/-$$}"
    for name in "$@"; do
        mkdir -p "$name"
        chmod a+rwx "$name"
        printf '%s' "$name-$$" >"$name/name"
        printf '[scope %s]\nsource = %s\ndefault = write\n[exec %s]\nask = touch\n' "$name-$$" "$name" "$name-$$"
    done >scopefs.ini.new
    write_config <scopefs.ini.new
    export TEST_CONFIG=$config
}
