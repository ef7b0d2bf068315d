#!/usr/bin/env bash
# The release builds and tests itself, gives packages for Debian and RPM to which lintian and rpmlint have
# nothing to say, and what is installed from them on the next Debian runs the quick start.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# Without git: not even its program is found. Nor is there a network.
mkdir no-git && ln -s /bin/false no-git/git
alone=()
((EUID != 0)) || alone=(unshare --net)
release_is_whole() {
    PATH=$workdir/no-git:$PATH "${alone[@]}" make --silent -C "$1" -j"$(nproc)" distcheck \
        run_shell_tests='t/e2e/install.t t/e2e/library.t t/e2e/manual.t'
}
ok "make dist works" make --silent -C "$SCOPEFS_BUILDDIR" dist
tar=$(echo "$SCOPEFS_BUILDDIR"/scopefs-*.tar.xz)
tar -xf "$tar" && mkdir build && cd build || exit
ok "the release is configured" sh -c '../scopefs-*/configure --quiet'
ok "it builds and tests itself, and makes the same release again" release_is_whole .
cd "$workdir" || exit

mkdir debian
if ok "Debian packages are built, and lintian has nothing to say" \
    "$SCOPEFS_SRCDIR/packaging/build-deb" "$tar" debian; then
    is "there are all of them" "$(cd debian && printf '%s ' *.deb | sed 's/_[^ ]*//g')" \
        "libscopefs-dev libscopefs0-dbgsym libscopefs0 scopefs-common scopefs-dbgsym scopefs "
fi

spec=$SCOPEFS_SRCDIR/packaging/scopefs.spec
ok "the spec can be read" rpmspec --query "$spec"
# What one distribution alone wants, and a place on a network for a file that lies beside the spec.
is "rpmlint has nothing to say about it" "$(rpmlint "$spec" | grep -E ': [EW]: ' |
    grep -vE 'no-buildroot-tag|lib-package-without-%mklibname|invalid-url Source0')" ''

# CI has no root of another release, which takes minutes to make, and one build more of a package.
if ! is_whole; then
    done_testing
fi
ok "RPM packages are built, in which each installed file is named" \
    rpmbuild --quiet --nodeps --nocheck -tb --define "_topdir $workdir/rpm" "$tar"
if ((EUID == 0)); then
    ok "what is installed from packages on the next Debian runs the quick start" \
        "$SCOPEFS_SRCDIR/t/roots/root" trixie run packaging/try-packages
else
    skip "started by an ordinary user" "packages on the next Debian"
fi
done_testing
