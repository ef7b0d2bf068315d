#!/bin/bash
# Each operation of the kernel's file interface at each level, against the table of answers.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=lib.sh
. "${0%/*}/lib.sh"

attack_all() {
    mkdir -p source/outside source/outside/folder
    echo kept >source/outside/file
    write_config <<END
[scope table]
source = source
[rules table]
write = /arena/
write = /outside/
view  = /arena/*/in-view/
read  = /arena/*/in-read/
none  = /arena/*/in-way/
none  = /arena/*/*/none-*
view  = /arena/*/*/view-*
read  = /arena/*/*/read-*
write = /arena/*/*/write-*
none  = /arena/*/*/way-*
read  = /arena/*/*/way-*/shown
END
    mount_view table || return
    drive "$TEST_TABLE" "$PWD/source" "$view"
    unmount_view
}

compare_twins() {
    mkdir -p source
    write_config <<END
[scope twins]
source = source
[rules twins]
write = /write-*
read  = /read-*
view  = /view-*
none  = /way-*
read  = /way-*/seen-*
none  = /*/none-*
none  = /*/way-*
read  = /*/way-*/shown
END
    mount_view twins || return
    drive "$TEST_TWINS" "$PWD/source" "$view"
    unmount_view
}

TEST_TABLE=$(attack_program table) TEST_TWINS=$(attack_program twins)
export TEST_TABLE TEST_TWINS
for_each_user attack_all
for_each_user compare_twins
done_testing
