#!/usr/bin/env bash
# make install puts everything where a system looks for it, below DESTDIR alone, and make uninstall takes
# it away; and the packages take all of it.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

new_workdir
cd "$workdir" || exit
make_here() { make -s -C "$SCOPEFS_BUILDDIR" DESTDIR="$workdir/root" prefix=/usr libdir=/usr/lib/here "$@"; }
list() { (cd root && find . ! -type d | sort); }

ok "make install works below DESTDIR" make_here install
list >installed
for pattern in bin/scopefs bin/scopefs-exec bin/scopefs-mcp libexec/scopefs/scopefs-stage2 \
    libexec/scopefs/scopefs-network libexec/scopefs/scopefs-mcp-worker sbin/mount.fuse.scopefs \
    share/scopefs/presets/agent-safe.ini lib/systemd/system/scopefs@.service \
    lib/systemd/user/scopefs@.service share/bash-completion/completions/scopefs \
    share/zsh/site-functions/_scopefs share/fish/vendor_completions.d/scopefs.fish; do
    ok "it installs $pattern" grep -qx "./usr/$pattern" installed
done
for page in "$SCOPEFS_SRCDIR"/man/*.[1-9]; do
    ok "it installs ${page##*/}" grep -qx "./usr/share/man/man${page##*.}/${page##*/}" installed
done
is "nothing lies outside of /usr" "$(grep -v '^\./usr/' installed)" ''

# Each line of debian/*.install is a path, with patterns, and perhaps a place. A release has no debian/.
if [[ -d $SCOPEFS_SRCDIR/debian ]]; then
    sed 's/ .*//' "$SCOPEFS_SRCDIR"/debian/*.install >taken
    while read -r file; do
        while read -r pattern; do
            # shellcheck disable=SC2053 # a pattern
            [[ $file == ./$pattern || $file == ./$pattern/* ]] && continue 2
        done <taken
        [[ $file == *.la ]] || echo "$file"
    done <installed >forgotten
    is "the Debian packages take all of it" "$(cat forgotten)" ''
fi

ok "make uninstall works" make_here uninstall
is "and leaves no file" "$(list)" ''
done_testing
