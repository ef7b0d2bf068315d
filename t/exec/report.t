#!/usr/bin/env bash
# What scopefs-exec does for programs that run it: a report beside the output, a view that is named,
# and an answer that somebody has given already.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/exec/common.sh"

report_of() { # ARGUMENT...
    run scopefs-exec -c "$config" --report 3 "$@" 3>report
}

# shellcheck disable=SC2154 # set by common.sh
body() {
    make_project
    cat >>"$config" <<END
[exec $scope]
deny = rm
ask  = touch
END
    report_of "$scope" -- sh -c 'echo out; echo err >&2; exit 3'
    is "the output stays the command's" "$output|$errors|$status" "out|err|3"
    like "the report has the status and no output" "$(<report)" '"exit_status":3,.*"peak_memory":[0-9]+,"refused_connections":\[\],"refused":false,"error":null}'

    report_of "$scope" -- rm x
    like "a refusal is told" "$(<report)" '"refused":true,"error":"a rule of the scope refuses this command"'
    unlike "but not by which rule" "$(<report)$errors" 'scopefs\.ini'
    report_of -y "$scope" -- rm x
    like "an answer does not help against it" "$(<report)" '"refused":true'
    report_of -y "$scope" -- touch output/asked
    like "it does where a rule asks" "$(<report)" '"exit_status":0'

    fails "a descriptor that is not open is refused" scopefs-exec --report 9 -c "$config" "$scope" -- true
    like "and named" "$errors" '--report 9: it is no open descriptor'

    # Root's commands run as another user, whose view this then is.
    local owner=()
    ((EUID != 0)) || owner=(--for-user "$(in_sandbox id -u):$(in_sandbox id -g)")
    mkdir other
    scopefs mount "${owner[@]}" -c "$config" "$scope" "$workdir/other"
    ok "a view can be named" scopefs-exec -c "$config" --view "$workdir/other" "$scope" -- true
    scopefs umount "$workdir/other"
    fails "one that is not there is not made" scopefs-exec -c "$config" --view "$workdir/other" "$scope" -- true
    like "and the place is told" "$errors" 'there is no view of scope'
}

for_each_user body
done_testing
