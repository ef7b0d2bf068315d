#!/usr/bin/env bash
# Everything builds for a processor with other characters (arm64: char has no sign), and the unit tests
# pass there, by qemu.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

try_architecture() { # DEBIAN'S NAME, TRIPLET, FOLDER OF LIBRARIES, QEMU
    local architecture=$1 triplet=$2 libraries=$workdir/root-$1/usr/lib/$3 qemu=$4 test
    ok "$architecture: its libraries are there" \
        "$SCOPEFS_SRCDIR/t/house/cross-root" "$architecture" "$workdir/root-$architecture" || return
    ln -sfn "$workdir/root-$architecture/lib/$3" "$libraries/base"
    export PKG_CONFIG_LIBDIR=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$workdir/root-$architecture
    ok "$architecture: it builds without a warning" build_variant "$architecture" --host="$triplet" \
        --enable-werror --disable-shared "CPPFLAGS=-I$workdir/root-$architecture/usr/include" \
        "LDFLAGS=-L$libraries -Wl,-rpath-link,$libraries:$workdir/root-$architecture/lib/$3" || return
    # With the libraries of that architecture, and this one's kernel.
    for test in "$architecture"/t/unit/*; do
        # limits uses up memory on purpose, and the others compare for minutes.
        [[ -f $test && -x $test && ! $test =~ /(decide|limits|reference|garbage)$ ]] || continue
        ok "$architecture: ${test#*/}" "$qemu" -L "/usr/$triplet" \
            -E "LD_LIBRARY_PATH=$libraries:$workdir/root-$architecture/lib/$3:/usr/$triplet/lib" "$test"
    done
}

try_architecture arm64 aarch64-linux-gnu aarch64-linux-gnu qemu-aarch64-static
done_testing
