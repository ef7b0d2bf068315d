# shellcheck shell=bash
# What the workloads work on, made once and copied for every target. Sourced by bench/run. The functions
# run as the ordinary user, in another bash when root runs the benchmark, with the sizes in the environment.

# Plain compilation of the project's own sources: configure's own run would take longer than the rest.
prepare_project() { # DIR
    local folders=(common)
    mkdir "$1"
    [[ $SCOPEFS_BENCH_FULL == 0 ]] || folders=(common rules fuse exec)
    cp -r "$SCOPEFS_BENCH_PARTS"/sources/* "$1"
    cat >"$1/Makefile" <<MAKEFILE
sources := \$(wildcard $(printf '%s/*.c ' "${folders[@]}"))
CPPFLAGS := -D_GNU_SOURCE -Iinclude -I. -DSCOPEFS_BINDIR='""' -DSCOPEFS_PRESETDIR='""' \\
	-DSCOPEFS_SYSCONFDIR='""' -DSCOPEFS_LIBEXECDIR='""' $(pkg-config --cflags fuse3 libpcre2-8)
CFLAGS := -std=gnu11 -O1 -MMD
libproject.a: \$(sources:.c=.o)
	rm -f \$@ && ar rc \$@ \$^
-include \$(sources:.c=.d)
clean:
	rm -f libproject.a \$(sources:.c=.o) \$(sources:.c=.d)
MAKEFILE
}

prepare_packages() { # DIR
    local number
    mkdir -p "$1/package"
    cp -r tree/a/module-0 "$1/package/"
    for ((number = 0; number < 20; number++)); do
        printf '{"name": "package-%d", "version": "1.0.0"}\n' $number >"$1/package/package.json"
        tar -czf "$1/package-$number.tgz" -C "$1" --exclude=.env package
        printf '%s"package-%d": "file:%s"' "$([[ $number == 0 ]] || echo ', ')" $number \
            "$1/package-$number.tgz"
    done >"$1/list"
    printf '{"name": "bench", "version": "1.0.0", "dependencies": {%s}}\n' "$(cat "$1/list")" \
        >"$1/package.json"
}

prepare_repository() { # DIR FROM
    mkdir "$1"
    cp -r "$2" "$1/tree"
    printf '.env\n' >"$1/.gitignore"
    git init -q "$1"
    (cd "$1" && git add -A && git commit -qm "All files" && git gc -q)
}

# In the present folder.
prepare_model() {
    local number copied=tree
    mkdir scratch links programs
    "$SCOPEFS_BENCH_HELPERS/tree" tree "$SCOPEFS_BENCH_FILES"
    for ((number = 0; number < 100; number++)); do
        ln -s "../tree/a/module-0/part-0/some-file-$number" "links/link-$number"
        cp /bin/true "programs/program-$number"
    done
    [[ $SCOPEFS_BENCH_FULL == 1 ]] || {
        copied=tree/a
        prepare_repository quarter tree/a
    }
    tar -cf "$SCOPEFS_BENCH_PARTS/tree.tar" --exclude=.env $copied
    prepare_repository repository tree
    prepare_project project
    prepare_packages "$SCOPEFS_BENCH_PARTS/packages"
}
