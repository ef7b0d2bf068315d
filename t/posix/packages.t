#!/usr/bin/env bash
# What fetches, unpacks and builds by the hundreds of files: package managers and compilers with caches of
# their own, in a view that all may write as natively, and in views by presets as far as rules let them.
# Everything that they take is made here; none of them asks the network.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=../trees.sh
. "${0%/*}/../trees.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# --- Python ---

# shellcheck disable=SC2089,SC2090 # programs, never words of a command
python_libraries='
import fcntl, mmap, os, shelve, shutil, tempfile
with tempfile.TemporaryFile(dir=".") as file:
    file.write(b"unnamed")
with tempfile.NamedTemporaryFile(dir=".") as file:
    file.write(b"x" * 5000)
    file.flush()
    with mmap.mmap(file.fileno(), 0) as view:
        assert view[4999] == ord("x")
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
with shelve.open("shelf") as shelf:
    shelf["key"] = list(range(1000))
with shelve.open("shelf") as shelf:
    assert shelf["key"][999] == 999
for name in os.listdir("."):
    if name.startswith("shelf"):
        os.remove(name)
shutil.copytree("data", "python", symlinks=True)
shutil.move("python", "moved")
'

# A package with hundreds of modules and a command, as build tools make them.
# shellcheck disable=SC2089
make_wheel='
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/many-1.0-py3-none-any.whl", "w") as wheel:
    for number in range(300):
        wheel.writestr("many/part_%d.py" % number, "value = %d\n" % number)
    wheel.writestr("many/__init__.py",
        "from .part_42 import value\n\ndef main():\n    print(value)\n")
    info = "many-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: many\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL",
        "Wheel-Version: 1.0\nGenerator: none\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "entry_points.txt", "[console_scripts]\nmany = many:main\n")
    wheel.writestr(info + "RECORD",
        "".join("%s,,\n" % name for name in wheel.namelist() + [info + "RECORD"]))
'
pip_options=(--quiet --no-index --disable-pip-version-check --no-cache-dir)

# In an environment of its own, which goes when all is well: its files hold the folder's name.
python_work() {
    python3 -m venv venv && python3 -c "$make_wheel" . &&
        venv/bin/python -c 'import sys; assert sys.prefix != sys.base_prefix' &&
        venv/bin/python -c "$python_libraries" &&
        venv/bin/pip install "${pip_options[@]}" ./many-1.0-py3-none-any.whl &&
        [[ $(venv/bin/many) == 42 && $(find venv -name 'part_*.py' | wc -l) == 300 ]] &&
        venv/bin/pip check --quiet && venv/bin/pip uninstall --quiet --yes many &&
        [[ -z $(find venv -name 'part_*') && ! -e venv/bin/many ]] &&
        rm -r venv many-1.0-py3-none-any.whl
}

# --- npm ---

# A package with hundreds of files and a command, which npm packs and unpacks by itself.
make_package() { # DIR
    local number
    mkdir -p "$1/lib"
    for ((number = 0; number < 400; number++)); do
        echo "module.exports = $number" >"$1/lib/$number.js"
    done
    echo '{"name": "many", "version": "1.0.0", "bin": {"many": "cli.js"}, "main": "lib/7.js"}' \
        >"$1/package.json"
    printf '#!/usr/bin/env node\nconsole.log(require("many") + 35)\n' >"$1/cli.js"
    chmod +x "$1/cli.js"
    echo '{"name": "user", "version": "1.0.0"}' >"$1/../package.json"
}
export npm_config_offline=true npm_config_update_notifier=false npm_config_audit=false \
    npm_config_fund=false

npm_work() {
    export npm_config_cache=$PWD/.cache
    make_package package
    npm install --install-links ./package && [[ $(find node_modules/many/lib -type f | wc -l) == 400 ]] &&
        [[ $(node_modules/.bin/many) == 42 ]] && npm ci --install-links &&
        [[ $(node_modules/.bin/many) == 42 ]] && npm uninstall many && [[ ! -e node_modules/many ]]
    local result=$?
    rm -rf .cache node_modules package package.json package-lock.json
    return "$result"
}

# --- Compilers that are build tools as well ---

make_module() { # DIR
    local number
    mkdir -p "$1/part"
    printf 'module example.org/sum\n\ngo 1.18\n' >"$1/go.mod"
    for ((number = 1; number <= 40; number++)); do
        printf 'package part\n\nfunc Part%d(x int) int { return x + %d }\n' "$number" "$number" \
            >"$1/part/part_$number.go"
    done
    printf 'package part\n\nimport "testing"\n\nfunc TestPart(t *testing.T) {\n\tif Part7(1) != 8 {\n%s' \
        $'\t\tt.Fatal()\n\t}\n}\n' >"$1/part/part_test.go"
    printf 'package main\n\nimport "example.org/sum/part"\n\nfunc main() { println(part.Part40(2)) }\n' \
        >"$1/main.go"
}
export GOPROXY=off GOTOOLCHAIN=local GOTELEMETRY=off

go_work() {
    export GOCACHE=$PWD/.go-build GOPATH=$PWD/.go
    make_module module && (cd module && go build -o ../sum . && go test ./... && go vet ./... &&
        gofmt -w main.go && go build -o ../sum .) && [[ $(./sum 2>&1) == 42 ]]
    local result=$?
    rm -rf .go-build .go module sum
    return "$result"
}

cargo_work() {
    export CARGO_HOME=$PWD/.cargo
    cargo init --quiet --vcs none --lib sum/part && cargo init --quiet --vcs none --name sum sum &&
        echo 'part = { path = "part" }' >>sum/Cargo.toml &&
        (cd sum && cargo build --quiet --offline && cargo test --quiet --offline && cargo build --offline) &&
        [[ $(sum/target/debug/sum) == "Hello, world!" ]]
    local result=$?
    rm -rf .cargo sum
    return "$result"
}

everywhere() {
    make_repository source
    write_config <<'END'
[scope whole]
source  = source
default = write
END
    mount_view whole || return
    same_as_natively python_work "a Python environment, pip and Python's libraries"
    same_as_natively npm_work "npm install"
    same_as_natively go_work "go build and test"
    if command -v cargo >/dev/null; then
        same_as_natively cargo_work "cargo build and test"
    else
        skip "cargo is not installed" "cargo build and test"
    fi
    unmount_view
}

# --- Presets ---

# What the functions above need, for shell text that runs in a view.
in_view() {
    declare -f make_package make_module python_work npm_work go_work
    # shellcheck disable=SC2090
    declare -p python_libraries make_wheel pip_options
}

agent_safe() {
    make_repository source
    make_package source/package
    make_module source/module
    mkdir source/{output,tmp}
    mount_preset agent-safe || return
    tries "python3 -m venv" 1 "Permission denied: '[^']*/venv'" 'python3 -m venv venv'
    tries "npm install" 243 'EACCES: permission denied, (mkdir|open) ' \
        'npm_config_cache=$PWD/output/cache npm install --install-links ./package'
    tries "go build" 1 'open sum: permission denied' \
        'cd module && GOCACHE=$OLDPWD/output/go GOPATH=$OLDPWD/output/path go build -o sum .'
    works "python in the output folder" "$(in_view); cd output && cp -r ../data . && python_work"
    works "npm in the output folder" "$(in_view); cd output && npm_work"
    works "go in the output folder" "$(in_view); cd output && go_work"
    works "go from where one may only read to the output folder" 'export GOCACHE=$PWD/output/go &&
        GOPATH=$PWD/output/path && cd module && go build -o ../output/sum . && ../output/sum'
    unmount_view
}

development() {
    make_repository source
    mount_preset development || return
    works "python" "$(in_view); python_work"
    works "npm" "$(in_view); npm_work"
    works "go" "$(in_view); go_work"
    make_package source/package
    echo secret >source/package/lib/server.key
    (cd source && npm pack ./package >/dev/null 2>&1)
    works "npm install from a folder in which a file is hidden" 'export npm_config_cache=$PWD/.cache
        npm install --install-links ./package && test -e node_modules/many/lib/399.js'
    tries "npm install of an archive that brings a hidden name goes without that file" 0 \
        'TAR_ENTRY_ERROR EACCES: permission denied, open .*/node_modules/many/lib/server\.key' 'rm -r node_modules
        export npm_config_cache=$PWD/.cache; npm install ./many-1.0.0.tgz && node_modules/.bin/many >&2'
    ok "which is not there" test ! -e source/node_modules/many/lib/server.key
    unmount_view
}

test_run_body everywhere
test_run_body agent_safe
test_run_body development
done_testing
