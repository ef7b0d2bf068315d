# shellcheck shell=bash
# What the tests of scopefs-exec share. Sourced after lib.sh, whose variables these are:
# shellcheck disable=SC2154

# A project with a file of each level, and a scope on it. Its name is this process's own, because all
# of root's tests share one runtime folder.
make_project() {
    scope=box-$$
    mkdir -p source/output source/listed
    echo readable >source/readable
    echo secret >source/.env
    echo listed >source/listed/file
    echo old >source/output/old
    write_config <<END
[scope $scope]
source = source
mount = $workdir/views/$scope
default = read

[rules $scope]
view = /listed/
write = /output/

[ceiling $scope]
none = .env
END
}

# Runs a command in its sandbox.
in_sandbox() { scopefs-exec -c "$config" "$scope" -- "$@"; }

# Runs shell text in it.
sandbox_shell() { in_sandbox sh -c "$1"; }

# Runs Perl text in it.
sandbox_perl() { in_sandbox perl -e "$1"; }

# What a scopefs-exec that is gone must not have left: mounts and folders of its own.
leftovers() {
    local folder
    folder=$(runtime_folder)
    grep -F "$folder/.exec-$scope-" /proc/self/mountinfo
    compgen -G "$folder/.exec-$scope-*"
}
