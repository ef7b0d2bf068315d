#!/usr/bin/env bash
# The benchmark runs on a tiny tree and prints its tables. What it measures decides nothing.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

new_workdir
run "$SCOPEFS_SRCDIR/bench/run" --short --files=80 --rounds=1 --rest=0 --output="$workdir" \
    --targets=native,scopefs,other --groups=walk,search,git,loops,walkers,unpack,data \
    --parts=work,memory,engine other=scopefs
is "the benchmark runs to its end" "$status" 0 || test_diag_run
like "it says on what it ran" "$output" 'Kernel: '
like "it has a row for a workload" "$output" $'\n\| du \|( [0-9][^|]* \|){3} 1.5 \|'
unlike "every workload succeeds in every target" "$output" fails
like "it has the time until a view can be used" "$output" $'\n\| other \|( [0-9.]+ ms \|){3}'
((EUID != 0)) || like "it has the memory of the server" "$output" $'\n\| scopefs \| 80 \| [0-9.]+ \|'
is "the table is written to a file" "$(cat "$workdir/RESULTS.md")" "$output"
ok "the chart is well-formed" perl -ne \
    '$open += () = /<\w[^>]*[^\/]>/g; $open -= () = /<\//g; END { exit $open != 0 }' \
    "$workdir/results.svg"
fails "an unknown option is refused" "$SCOPEFS_SRCDIR/bench/run" --no-such-option
fails "an unknown target is refused" "$SCOPEFS_SRCDIR/bench/run" --targets=nobody
done_testing
