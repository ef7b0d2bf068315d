#!/usr/bin/env bash
# What is open, mapped, sparse or strangely named behaves in a view as it does on the source's file
# system, where every helper program runs first.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

handles() {
    mount_two || return
    program_as_natively handles
    program_as_natively content
    program_as_natively names
}

# What is not the same.
differences() {
    mount_two || return
    mkdir native source/differences
    local name=$test_prefix test_prefix
    test_prefix="${name}natively: "
    results_of differences native native
    test_prefix="${name}view: "
    results_of differences "$one/differences" "$other/differences"
}

appends() {
    mount_two || return
    results_of append "in one view" source/log "$TEST_RECORDS" "$one"/{log,log,log,log}
    results_of append "in two views and on the host" source/log "$TEST_RECORDS" \
        "$one/log" "$other/log" "$one/log" "$other/log" source/log
    results_of append "in one view, mapped too" source/log "$TEST_RECORDS" "$one"/{log,log}
    results_of append "in two views, mapped too" source/log "$TEST_RECORDS" "$one/log" "$other/log"
}

# In memory where that can be had: many disks take their time for so many files.
listings() {
    mkdir source
    ((EUID != 0)) || mount -t tmpfs tmpfs source
    mount_two || return
    mkdir source/large
    results_of listing "$one/large" "$TEST_ENTRIES"
    results_of listing "$one/large" $((TEST_ENTRIES / 5)) source/large
}

export TEST_RECORDS=${TEST_RECORDS:-500} TEST_ENTRIES=${TEST_ENTRIES:-100000}
for_each_user handles
for_each_user differences
for_each_user appends
test_run_body listings
done_testing
