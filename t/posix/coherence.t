#!/usr/bin/env bash
# A change made on the host, or in another view of the same source, is seen at once by who opens a file,
# and within a second in names and attributes.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

contents() {
    mount_two || return
    mkdir source/{host,view}
    results_of coherence "$one/host" "$source/host"
    results_of coherence "$one/view" "$other/view"
}

# All that can be seen of a name, in one line.
seen() { # PLACE NAME
    stat -c '%F %a %s %h %Y' "$1/$2" 2>/dev/null || echo nothing
}

# Looks at names in views until all are seen as the source has them, and prints for how many milliseconds
# after the change somebody who asked got the old answer. The time that asking takes does not count.
stale_for() { # CHANGE_TIME SOURCE VIEW... -- NAME...
    perl -MTime::HiRes=time,sleep -e '
        my ($changed, $source, @views) = (shift, shift);
        while (@ARGV && (my $view = shift) ne "--") { push @views, $view }
        sub seen { my @is = lstat $_[0]; join " ", @is[2, 3, 7, 9] }
        my ($last, $stale) = ($changed, 1);
        while ($stale && time < $changed + 30) {
            $stale = 0;
            for my $view (@views) {
                for my $name (@ARGV) {
                    my $asked = time;
                    next if seen("$view/$name") eq seen("$source/$name");
                    ($stale, $last) = (1, $asked);
                }
            }
            sleep 0.01;
        }
        printf "%d", 1000 * ($last - $changed)' -- "$@"
}

within_a_second() {
    local place name names=(made grown changed removed renamed new emptied folder list/a list/b
        ${TEST_LINK:+"$TEST_LINK"})
    mount_two || return
    mkdir source/list
    touch source/{grown,changed,removed,renamed,linked,list/a}
    echo text >source/emptied
    # The kernels have everything of it, also that it is not there.
    for place in "$one" "$other"; do
        for name in "${names[@]}"; do seen "$place" "$name" >/dev/null; done
        ls -l "$place" "$place/list" >/dev/null
    done
    echo text >source/made
    echo more >>source/grown
    chmod 0600 source/changed && touch -d @1000 source/changed
    rm source/removed source/list/a
    mv source/renamed source/new
    : >source/emptied
    ln source/linked source/folder
    touch source/list/b
    local stale
    stale=$(stale_for "$EPOCHREALTIME" source "$one" "$other" -- "${names[@]}")
    ok "all is seen as it is within a second: old answers for $stale ms" test "$stale" -lt 1100
    for place in "$one" "$other"; do
        for name in "${names[@]}"; do
            is "${place##*/}/$name is seen as it is" "$(seen "$place" "$name")" "$(seen source "$name")"
        done
        is "${place##*/}: so is the listing" "$(ls "$place/list")" b
    done
    ok "a name that is gone on the host is created anew at once" \
        bash -c 'cat "$1/made" && rm source/made && echo again >"$1/made" && cat source/made' bash "$one"
    ok "a folder that was replaced on the host is used at once" \
        bash -c 'ls "$1/list" && mv source/list source/old && mkdir source/list &&
            touch "$1/list/inside" && test -e source/list/inside' bash "$one"
}

export TEST_LINK=linked
for_each_user contents
for_each_user within_a_second
# Without being told.
export TEST_CACHE
TEST_CACHE="timeout 1"
for_each_user within_a_second
# However long the kernel may keep what it knows: a file is looked at when it is opened, and what the
# host changes is told.
TEST_CACHE=watch
for_each_user contents
# All but a new link to a file, of which the folders of its other names are not told.
TEST_LINK=
for_each_user within_a_second
TEST_CACHE="timeout 60"
for_each_user contents
done_testing
