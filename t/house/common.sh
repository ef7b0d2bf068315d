# shellcheck shell=bash disable=SC2154 # variables of lib.sh
# What the tests of the whole house share: other builds of the sources, and the tests run on them. Sourced
# after lib.sh. They take minutes each: make check-house. With SCOPEFS_HOUSE=part, which is CI's, they do
# less, as each says: there they stand beside the tests as they are, within an hour on a slow machine.

[[ -d $SCOPEFS_SRCDIR/.git || -e $SCOPEFS_SRCDIR/configure.ac ]] || skip_all "there are no sources"

skip_when_late

# What is tested here tests itself, too, and then without what is here.
house=${SCOPEFS_HOUSE:-whole}
unset SCOPEFS_HOUSE CI
is_whole() { [[ $house == whole ]]; }

# Configures in $workdir/NAME. The source is named by a relative path, since configure takes none with a
# space in it.
configure_variant() { # NAME, CONFIGURE-ARGUMENT...
    local folder=$workdir/$1
    shift
    mkdir "$folder"
    (cd "$folder" && "$(realpath --relative-to=. "$SCOPEFS_SRCDIR")/configure" --quiet "$@")
}

make_variant() { # NAME, ARGUMENT...
    make --silent -C "$workdir/$1" -j"$(nproc)" "${@:2}"
}

# Builds there, with all that tests need.
build_variant() { # NAME, CONFIGURE-ARGUMENT...
    configure_variant "$@" && make_variant "$1" all && make_variant "$1" check PROVE=true
}

# The tests of a build, one a line, as prove in its folder takes them.
tests_of() { # NAME
    make --silent --no-print-directory -C "$workdir/$1" list-tests
}

# Runs tests on a build. What it is that fails is told: this is all that CI's reader sees of it.
passes() { # NAME, VARIANT, TEST...
    local name=$1 build=$workdir/$2
    shift 2
    if (cd "$build" && SCOPEFS_BUILDDIR=$build prove --timer -e '' "$@") >"$build.log" 2>&1; then
        pass "$name: $(sed -n 's/^Files=/files /p' "$build.log")"
        return
    fi
    flunk "$name"
    sed -n '/^Test Summary Report/,$p' "$build.log" | diag_file /dev/stdin
    grep -vE '^\[.* ok +[0-9]+ ms' "$build.log" | head -n 200 | diag_file /dev/stdin
}

diag_file() { sed 's/^/# /' "$1" >&2; }

# A tool that prints what it finds, which is nothing.
finds_nothing() { # NAME, COMMAND...
    local name=$1
    shift
    run "$@"
    if ((status == 0)) && [[ -z $output$errors ]]; then
        pass "$name"
        return
    fi
    flunk "$name"
    test_diag_run
}

new_workdir
cd "$workdir" || exit
