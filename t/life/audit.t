#!/usr/bin/env bash
# What is recorded of a scope, and how scopefs log and scopefs summary tell it.
[[ $EUID != 0 || ${SCOPEFS_OWN_WORLD:-} ]] ||
    SCOPEFS_OWN_WORLD=yes exec unshare --mount --propagation private bash "$0"
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
enter_own_world

field() { # SCOPE FIELD: of scopefs ps --json
    scopefs ps --json "$1" | sed -nE "s/.*\"$2\":\"?([^,\"}]*).*/\1/p"
}
forget() { rm -f "$(runtime_folder)/.$1".audit*; }

make_scope() {
    mkdir -p source/dir m
    echo text >source/file
    echo text >source/dir/seen
    echo text >source/site.key
    write_config <<'END'
[scope audited]
source = source
mount = m
default = write

[rules audited]
none = /hid*
view = /dir/
read = /file

[ceiling audited]
view = *.key
END
    forget audited
    scopefs up -c "$config" >/dev/null
}

tells_refusals() {
    make_scope
    cat m/hidden m/dir/seen m/site.key 2>/dev/null
    echo x 2>/dev/null >>m/file
    wait_for '[[ $(scopefs log audited 2>/dev/null | wc -l) -ge 4 ]]'
    run scopefs log audited
    like "log tells the path, the levels and the rule with its file and line" "$output" \
        "refused open of /dir/seen: needs read, has view by $config:8 view = /dir/ \(EACCES\)"
    like "a ceiling is called that" "$output" "/site.key: needs read, has view by .*:12 ceiling view = \*.key"
    like "what is hidden was not there for the agent, but is here" "$output" "lookup of /hidden: .* \(ENOENT\)"
    like "with who it was" "$output" "user $EUID, process [0-9]+ bash"
    run scopefs log --json audited
    local first_line=${output%%$'\n'*}
    like "JSON has every field" "$first_line" \
        '^."time":"20[^"]*Z","scope":"audited","operation":"lookup","path":"/hidden","wanted":"view","level":"none","decided_by":".*:7","rule":"none = /hid\*","errno":"ENOENT","command":"(cat)?","pid":[0-9]+,"uid":'
    run scopefs summary audited
    like "summary counts by directory" "$output" " 0 +0 +1  /dir"
    like "and names what decided" "$output" " 1  /dir/seen: needs read, has view by .*:8 view = /dir/"
    scopefs down -c "$config" >/dev/null
}

# A name that could be a directory on the way to something visible is looked at before it is refused.
tells_what_is_found_late() {
    make_scope
    sed -i 's,^none = /hid.*,none = late*,; s,^read = /file,read = file,' "$config"
    scopefs reload -c "$config" audited
    echo text >source/late
    cat m/late m/later 2>/dev/null
    scopefs down -c "$config" >/dev/null
    run scopefs log audited
    like "a hidden file is told there too" "$output" "refused lookup of /late: needs view, has none by $config:7"
    like "as is one that is missing" "$output" "refused lookup of /later: needs view, has none by $config:7"
}

counts_repeats() {
    make_scope
    local turn
    for turn in {1..50}; do cat m/dir/seen; done 2>/dev/null
    scopefs down -c "$config" >/dev/null
    run scopefs log audited
    is "what repeats is written once, and then how often" "$(grep -c /dir/seen <<<"$output")" 2
    like "it came again" "$output" "/dir/seen.* 49 times more"
    run scopefs summary audited
    like "and the summary adds them" "$output" " 50  /dir/seen"
}

keeps_any_name() {
    make_scope
    local name=$'hid "\\\n\x1b[1m\xff\xc3\xa9'
    cat "m/$name" 2>/dev/null
    wait_for 'scopefs log audited >/dev/null 2>&1'
    run scopefs log audited
    is "a name with a newline makes one line" "$(wc -l <<<"$output")" 1
    like "and no terminal sequence" "$output" 'hid "\\\\\\012\\033\[1m\\377é'
    scopefs down -c "$config" >/dev/null
    run scopefs log --json audited
    like "JSON has its bytes" "$output" '"path":"/hid \\"\\\\\\u000a\\u001b\[1m\\udcffé"'
}

survives_a_flood() {
    make_scope
    local refusals recorded lost size
    perl -e 'for my $i (1 .. 20000) { open my $file, "<", "m/hid$i" }'
    refusals=$(field audited refusals)
    is "every refusal is counted" "$refusals" 20000
    scopefs down -c "$config" >/dev/null
    size=$(cat "$(runtime_folder)"/.audited.audit* | wc -c)
    ok "the files stay within their limit" test "$size" -lt 1700000
    ok "of three generations" test "$(find "$(runtime_folder)" -maxdepth 1 -name '.audited.audit*' 2>/dev/null | wc -l)" -le 3
    recorded=$(scopefs log --json audited | wc -l)
    lost=$(scopefs log --json audited | sed -nE 's/.*"dropped":([0-9]+).*/\1/p' | paste -sd+ | bc)
    diag "recorded $recorded, lost in the flood ${lost:-0}"
    ok "the newest are there" scopefs log audited
}

records_more_where_asked() {
    make_scope
    scopefs down -c "$config" >/dev/null
    local turn
    for turn in writes all; do
        forget audited
        sed -i "/^log = /d; s/^default = write/&\nlog = $turn/" "$config"
        scopefs up -c "$config" >/dev/null
        echo new >m/made
        cat m/file >/dev/null
        rm m/made
        scopefs down -c "$config" >/dev/null
        run scopefs log audited
        like "log = $turn tells what was made" "$output" "allowed create of /made: needs write, has write by default"
        like "and removed" "$output" "allowed unlink of /made"
        run scopefs log --denied audited
        is "--denied leaves that out" "$output" ""
        run scopefs log audited
        if [[ $turn == all ]]; then
            like "and what was read" "$output" "allowed open of /file: needs read, has read by"
        else
            unlike "but not what was read" "$output" "allowed open of /file"
        fi
    done
    run scopefs summary audited
    like "the summary has both" "$output" " [1-9] +[1-9] +0  /"
    sed -i "s/^log = .*/log = some/" "$config"
    exits "another value" 1 scopefs check "$config"
    like "lists those that are" "$errors" "denied, writes, all"
}

proposes_rules() {
    make_scope
    scopefs down -c "$config" >/dev/null
    forget audited
    sed -i 's/^default = write/&\nlog = all/; /^none = \/hid/d' "$config"
    mkdir source/many
    touch source/many/{a,b,c} "source/odd [1]" source/top.c
    scopefs up -c "$config" >/dev/null
    cat m/file m/many/* "m/odd [1]" m/top.c m/site.key m/dir/seen >/dev/null 2>&1
    echo made >m/made
    scopefs down -c "$config" >/dev/null
    run scopefs learn audited
    is "learn proposes rules for what was used" "$(tail -n +2 <<<"$output")" "[rules audited]
read  = /dir/seen
read  = /file
read  = \"/odd \\[1\\]\"
read  = /top.c
read  = /many/
; looks like a secret: read  = /site.key
write = /made"
    { printf '[scope audited]\nsource = source\nmount = m\n'; printf '%s\n' "$output"; } >"$config"
    ok "which are valid" scopefs up -c "$config"
    is "and allow it" "$(cat m/file m/dir/seen "m/odd [1]" && echo again >m/made && ls m)" "text
text
dir
file
made
many
odd [1]
top.c"
    scopefs down -c "$config" >/dev/null
}

# Names are the agent's to choose, and what is proposed goes into the owner's file.
proposes_no_more() {
    local names=("back\\slash" 'q"uote' '"whole"' "tail " 'semi ;colon' 'x #y' '{a,b}' '!neg' "both\\\"x" '[' '**')
    local evil=($'x\nwrite = *' $'site.key\nwrite = *' $'x\r[rules audited]' $'esc\e[2Jx' $'csi\xc2\x9b2J')
    make_scope
    scopefs down -c "$config" >/dev/null
    forget audited
    printf '[scope audited]\nsource = source\nmount = m\ndefault = view\n' >"$config"
    (cd source && touch "${names[@]}" "${evil[@]}")
    scopefs up -c "$config" >/dev/null
    (cd m && cat "${names[@]}" "${evil[@]}") 2>/dev/null
    scopefs down -c "$config" >/dev/null
    run scopefs learn audited
    unlike "no name makes a rule of its own" "$output" $'\nwrite'
    unlike "nor reaches the terminal as it is" "$output" $'[\e\r]|\xc2\x9b'
    is "those that no rule can hold are told" "$(grep -c '^; no rule can name: ' <<<"$output")" 5
    { printf '[scope audited]\nsource = source\nmount = m\ndefault = view\n'; printf '%s\n' "$output"; } >"$config"
    ok "the others are rules" scopefs up -c "$config"
    ok "for the very names" sh -c 'cd m && cat "$@"' - "${names[@]}"
    fails "and no others" cat m/file
    scopefs down -c "$config" >/dev/null
}

follows() {
    make_scope
    scopefs log -f --denied audited >followed &
    local log=$!
    cat m/dir/seen 2>/dev/null
    wait_for 'grep -qs /dir/seen followed'
    pass "log -f begins before anything was recorded"
    # Another generation.
    mv "$(runtime_folder)/.audited.audit" "$(runtime_folder)/.audited.audit.1"
    cat m/site.key 2>/dev/null
    wait_for 'grep -qs /site.key followed'
    is "and goes on after the file was renamed" "$(grep -c refused followed)" 2
    kill "$log"
    wait "$log" 2>/dev/null
    exits "a scope of which nothing is known" 1 scopefs log no-such-scope
    like "is told" "$errors" "nothing was recorded of a scope 'no-such-scope'"
    exits "a path is no scope" 1 scopefs log ../x
    scopefs down -c "$config" >/dev/null
}

for_each_user tells_refusals
for_each_user tells_what_is_found_late
for_each_user counts_repeats
for_each_user keeps_any_name
for_each_user survives_a_flood
for_each_user records_more_where_asked
for_each_user proposes_rules
for_each_user proposes_no_more
for_each_user follows
done_testing
