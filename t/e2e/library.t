#!/usr/bin/env bash
# The installed libscopefs: what it exports, and programs in C and Python that decide as scopefs does.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

[[ -e $SCOPEFS_BUILDDIR/libscopefs.la ]] || skip_all "a build with sanitizers has no shared library"

new_workdir
cd "$workdir" || exit
root=$workdir/root
examples=$SCOPEFS_SRCDIR/examples/library

ok "the library, its header and its pkg-config file are installed" \
    make -s -C "$SCOPEFS_BUILDDIR" DESTDIR="$root" \
    install-libLTLIBRARIES install-includeHEADERS install-nodist_pkgconfigDATA
pc=$(find "$root" -name libscopefs.pc)
library=$(find "$root" -name libscopefs.so.0)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=${library%/*}
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
mkdir -p config/scopefs
cp -r "$SCOPEFS_BUILDDIR/presets" config/scopefs/presets
export XDG_CONFIG_HOME=$workdir/config

# --- What it exports ---

header=$(find "$root" -name scopefs.h)
declared=$(grep -oE '\bscopefs_[a-z_]+\(' "$header" | tr -d '(' | sort -u)
exported=$(nm --dynamic --defined-only "$library" | sed -nE 's/.* T (.*)@@LIBSCOPEFS_0$/\1/p' | sort)
is "it exports what the header declares" "$exported" "$declared"
is "and nothing else" "$(nm --dynamic --defined-only "$library" | grep -vc ' T scopefs_')" 1
ok "the header is plain C" cc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only "$header"
is "the version is the programs' own" "$(pkg-config --modversion libscopefs)" \
    "$(scopefs --version | sed 's/.* //')"

# --- Programs ---

write_config <<'END'
[scope top]
source  = .
default = write
[rules top]
view = /project/plans
[scope project]
source = project
parent = top
preset = agent-safe
[rules project]
write = /src/
none  = /lib
read  = /lib/vendor/*.[ch]
none  = "a;b"
view  = *.{key,pem}
[scope agent-*]
source = project
[rules agent-*]
write = /%n/
END
paths=(. src/main.c src/.env lib lib/vendor/a.c plans/x .git/config 'a;b/c' k.pem credentials.json
    $'new\nline' 'sp ace/"quoted"' agent-7/x /src//./y)

place_of() { # PRESET, REGEX: prints FILE:LINE
    local file=$XDG_CONFIG_HOME/scopefs/presets/$1.ini
    echo "$file:$(grep -n "$2" "$file" | cut -d: -f1)"
}

for name in explain readable; do
    # shellcheck disable=SC2046 # words
    ok "examples/library/$name.c is built by pkg-config" \
        cc -Wall -Wextra -Werror -o "$name" "$examples/$name.c" $(pkg-config --cflags --libs libscopefs)
done
run ./explain scopefs.ini project src/main.c src/.env plans/x
is "explain says what decides" "$output" "src/main.c: write, scopefs.ini:11: /src/
src/.env: none, $(place_of secrets '^none *= *\.env$'): .env
plans/x: view, $(place_of agent-safe '^read *= */$'): /, no more than top gives it"
printf '[scope a]\nread = /\n' >bad.ini
run ./explain bad.ini a b
said=$errors
run scopefs check bad.ini
is "and the errors of a file as scopefs does" "$said" "$(grep ^bad.ini <<<"$output$errors")"
is "readable passes on what can be read" "$(printf '%s\0' src/main.c src/.env plans/x README.md |
    ./readable scopefs.ini project | tr '\0' ' ')" "src/main.c README.md "

sed -n '/^\.Bd -literal/,/^\.Ed/p' "$SCOPEFS_SRCDIR/man/libscopefs.3" | grep -v '^\.' |
    sed 's/\\e/\\/g' >manual.c
# shellcheck disable=SC2046 # words
ok "the example of libscopefs(3) is built" \
    cc -Wall -Wextra -Werror -o manual manual.c $(pkg-config --cflags --libs libscopefs)
sed 's/scope project]/scope agent]/; s/rules project]/rules agent]/' scopefs.ini >agent.ini
mkdir manual.d && mv agent.ini manual.d/scopefs.ini
is "and runs" "$(cd manual.d && echo src/main.c lib | ../manual)" $'write src/main.c\nnone lib'

# What both say of a path, as far as both say it.
cat >compare.py <<'END'
import json, sys
said, explained = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
assert len(said) == len(explained) > 0
for one, other in zip(said, explained):
    expected = {key: other[key] for key in ("path", "level", "wanted", "parent")}
    expected["rule"] = other["rule"] and {key: other["rule"][key]
                                          for key in ("file", "line", "pattern")}
    expected["visible"] = other["level"] != "none" or (other["way_through"] and
                                                       other["path"].endswith("/"))
    assert one == expected, (one, expected)
END
for scope in project agent-7; do
    for suffix in '' /; do
        run python3 "$examples/decide.py" scopefs.ini "$scope" "${paths[@]/%/$suffix}"
        mv .stdout said
        run scopefs explain --json -c scopefs.ini "$scope" "${paths[@]/%/$suffix}"
        mv .stdout explained
        ok "Python decides as 'scopefs explain --json': $scope, PATH$suffix" \
            python3 compare.py said explained
    done
done
run python3 "$examples/decide.py" scopefs.ini nobody a
like "Python gets errors with what there is" "$errors" "there are: top, project, agent-\*"
done_testing
