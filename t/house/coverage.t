#!/usr/bin/env bash
# How much of the lines and branches the tests reach, with clang, to which the sources give no warning. In
# CI by the unit tests, which is all that rules/ needs; HACKING.md has what all tests reach.
# Counters are in mapped files, so that what servers did counts, which end by _exit(2) and can open no
# file; they are for every user. The three small programs that run inside of sandboxes are not counted.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

chmod 0711 "$test_folder" && mkdir -m 0777 profiles
flags="-O1 -g -fcoverage-mapping -fprofile-instr-generate=$workdir/profiles/%m%c.profraw"
flags+=" -mllvm -runtime-counter-relocation"
ok "it is configured" configure_variant build CC=clang --enable-werror CFLAGS="$flags" || done_testing
mapfile -t tests < <(tests_of build | grep -vE '/(bench|install|library|tools|npm|packages|pjdfstest)\.t$')
checked=(check PROVE=true)
if ! is_whole; then
    mapfile -t tests < <(printf '%s\n' "${tests[@]}" | grep -v '\.t$')
    checked=("${tests[@]}")
fi
# One after the other: `all` is a make of its own, and both would make the same objects.
ok "it builds with clang" make_variant build all || done_testing
ok "so do its tests" make_variant build "${checked[@]}" || done_testing
for inside in scopefs-stage2 scopefs-network scopefs-mcp-worker; do
    cp "$SCOPEFS_BUILDDIR/$inside" build/ || flunk "$inside is there"
done
umask 0000
for program in scopefs scopefs-exec scopefs-mcp; do
    ok "$program starts" "build/$program" --version
done

passes "the tests pass" build "${tests[@]}"

objects=()
for program in build/scopefs-exec build/scopefs-mcp build/t/unit/* build/t/exec/*; do
    [[ -f $program && -x $program ]] && objects+=(-object "$program")
done
ok "profiles are merged" llvm-profdata merge -o all.profdata profiles/*.profraw
llvm-cov export build/scopefs "${objects[@]}" -instr-profile=all.profdata --summary-only \
    >coverage.json 2>/dev/null
python3 - >summary <<'END'
import collections, json, os
wanted = ("rules", "fuse", "exec", "mcp", "common")
sums = collections.defaultdict(lambda: [0, 0, 0, 0])
files = []
for file in json.load(open("coverage.json"))["data"][0]["files"]:
    folder = os.path.basename(os.path.dirname(file["filename"]))
    if folder not in wanted:
        continue
    counts = [file["summary"][kind][what] for kind in ("lines", "branches")
              for what in ("covered", "count")]
    sums[folder] = [one + other for one, other in zip(sums[folder], counts)]
    files.append((100 * counts[0] / max(counts[1], 1), folder, os.path.basename(file["filename"]), counts))
def line(name, counts):
    lines, all_lines, branches, all_branches = counts
    return (f"{name}: {100 * lines / max(all_lines, 1):.1f} % of {all_lines} lines, "
            f"{100 * branches / max(all_branches, 1):.1f} % of {all_branches} branches")
for folder in wanted:
    if folder in sums:
        print(line(folder, sums[folder]))
for percent, folder, name, counts in sorted(files):
    if percent < 75:
        print("  " + line(f"{folder}/{name}", counts))
END
sed 's/^/# /' summary
percent_of() { sed -n "s/^$1: \([0-9]*\)\..*/\1/p" summary; }
ok "above 90 % of the lines of rules/: $(percent_of rules) %" test "$(percent_of rules)" -ge 90
if is_whole; then
    ok "above 85 % of the lines of fuse/: $(percent_of fuse) %" test "$(percent_of fuse)" -ge 85
    ok "above 85 % of the lines of exec/: $(percent_of exec) %" test "$(percent_of exec)" -ge 85
fi
done_testing
