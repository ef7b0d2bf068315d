#!/usr/bin/env bash
# What finds mistakes without running anything: shellcheck, cppcheck, clang-tidy, mandoc. What they shall
# not find is in .shellcheckrc, cppcheck.known, .clang-tidy and clang-tidy.known, each with the reason.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

cd "$SCOPEFS_SRCDIR" || exit
sources=(common rules fuse exec mcp)
settings=(-D_GNU_SOURCE -D__linux__ -Iinclude "-I$SCOPEFS_BUILDDIR" '-DSCOPEFS_BINDIR=""'
    '-DSCOPEFS_PRESETDIR=""' '-DSCOPEFS_SYSCONFDIR=""' '-DSCOPEFS_LIBEXECDIR=""')

# Files that git does not know and a build has made are none of ours.
all_files() { git ls-files -- "$@" 2>/dev/null || find "$@" -type f; }

mapfile -t scripts < <(all_files . | while read -r file; do
    [[ $file != *.c && $file != *.h && -f $file ]] &&
        head -n 1 "$file" | grep -aqE '^#!.*(bash|/sh)|^# shellcheck shell' && echo "$file"
done)
ok "there are scripts" test "${#scripts[@]}" -gt 40
finds_nothing "shellcheck" sh -c 'printf "%s\0" "$@" | xargs -0 -P "$(nproc)" -n 8 shellcheck -x' - "${scripts[@]}"

finds_nothing "cppcheck" cppcheck -j "$(nproc)" --quiet --std=c11 --library=posix,gnu \
    --enable=warning,performance,portability,information "${settings[@]}" '-DPACKAGE_VERSION=""' \
    --include=t/house/cppcheck.h \
    --suppressions-list=t/house/cppcheck.known --inline-suppr "${sources[@]}" examples

# It prints how much it did not find on standard error, and the findings themselves on the other. Its
# analyzer, which follows paths, takes nearly all of the time, and is not for CI.
asked=()
is_whole || asked=(--checks=-clang-analyzer-*)
mapfile -t units < <(all_files "${sources[@]}" | grep '\.c$')
read -ra packages <<<"$(pkg-config --cflags fuse3 libseccomp jansson libmicrohttpd gnutls)"
printf '%s\0' "${units[@]}" | xargs -0 -P "$(nproc)" -I{} clang-tidy --quiet "${asked[@]}" {} -- -std=gnu11 \
    "${settings[@]}" "${packages[@]}" >"$workdir/tidy" 2>/dev/null
grep -v '^#' t/house/clang-tidy.known >"$workdir/known"
ok "clang-tidy reads the sources" test "${#units[@]}" -gt 100
is "and finds nothing" "$(grep -E '(error|warning): ' "$workdir/tidy" | grep -vEf "$workdir/known")" ''

ok "each check that mutations.t takes out is there" bash t/attack/mutations.t --fit

# Pages of other packages may not be installed, and those of ours are not yet.
finds_nothing "mandoc" sh -c "mandoc -Tlint -Wwarning man/*.[1-9] | grep -v 'outdated mandoc.db'; true"
done_testing
