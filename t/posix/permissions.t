#!/usr/bin/env bash
# Who may do what with a file, and whose it becomes, is as on the source's file system: setuid and setgid
# bits go with the first change, setgid folders and default ACLs pass on what they should, and the
# creator's umask counts where it should.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "${0%/*}/common.sh"

changes=(
    "write" "write nothing" "append" "write past the cache" "ftruncate"
    "by name, truncate" "by name, O_TRUNC" "fallocate" "punch a hole" "copy_file_range"
    "by name, chown to the same" "by name, chown to nobody in particular" "by name, chmod" "futimens"
)

# The mode of a file with both bits after an ordinary user has changed it; the view's kernel has seen
# the file without them.
mode_after() { # HOW FILE HOST_FILE
    head -c 16384 /dev/zero >"$3"
    chown "$TEST_OWNER" "$3" && chmod 0755 "$3"
    as_user stat "$2" >/dev/null
    chmod "${4:-6755}" "$3"
    as_user "$TEST_POSIX/change" "$1" "$2" && stat -c %a "$3"
}

set_id_bits() { # VIEW
    local how mode natively
    for how in "${changes[@]}"; do
        for mode in 6755 2711 4711; do
            [[ $how == *chmod && $mode != 6755 ]] && continue
            natively=$(mode_after "$how" native/file native/file "$mode")
            is "a file with mode $mode, $how: the mode is then as on the source's file system" \
                "$(mode_after "$how" "$1/file" source/file "$mode")" "${natively:-a mode}"
        done
    done
    how="write by a mapping" mode=755
    # What the kernel writes by itself is mapped as natively.
    ! passes_through "$1" || mode=$(mode_after "$how" native/file native/file 6755)
    is "written by a mapping the bits go, too" "$(mode_after "$how" "$1/file" source/file 6755)" "$mode"
    chmod 0755 source/file
    fails "a setuid bit is not set" as_user chmod u+s "$1/file"
    fails "a setgid bit is not set" as_user chmod g+s "$1/file"
}

# The permissions and ACL of what is made in a folder, as the host sees them.
make_in() { # FOLDER HOST_FOLDER
    local mask
    for mask in 000 022 077; do
        as_user bash -c '
            umask "$2"
            cd "$1" && touch "file-$2" && mkdir "folder-$2" && mkfifo "fifo-$2" &&
                ln -s nowhere "link-$2" &&
                mkdir -m 0710 "made-$2" && perl -e "use Fcntl; sysopen my \$f, \"strict-$2\",
                    O_CREAT | O_WRONLY, 0600 or die"' bash "$1" "$mask" || echo "failed with $mask"
    done
    (cd "$2" && getfacl -np -- * 2>/dev/null && stat -c '%N %A %u %g' -- *)
}

creation() { # VIEW
    local folder
    for folder in plain setgid acl both; do
        mkdir -p "source/$folder" "native/$folder"
        chown "$TEST_OWNER" "source/$folder" "native/$folder"
    done
    for folder in source native; do
        chgrp daemon "$folder"/{setgid,both} && chmod 2775 "$folder"/{setgid,both}
        setfacl -d -m u:1234:rwx,g:1235:r,o::--- "$folder"/{acl,both}
    done
    for folder in plain setgid acl both; do
        is "what is made in a folder ($folder) has permissions, owner and ACL as natively" \
            "$(make_in "$1/$folder" "source/$folder")" "$(make_in "native/$folder" "native/$folder")"
    done
    is "a setgid folder stays one when its mode is changed" \
        "$(as_user chmod 2750 "$1/setgid/folder-022"; stat -c %a source/setgid/folder-022)" \
        "$(as_user chmod 2750 native/setgid/folder-022; stat -c %a native/setgid/folder-022)"
}

# What users of a common folder may do to each other's files, and the owner with the groups that he is in.
share_folder() { # FOLDER
    local folder=$1
    mkdir -m 1777 "$folder/sticky" && mkdir "$folder/group"
    chgrp 4600 "$folder/group" && chmod 0770 "$folder/group"
    as_one() { setpriv --reuid=4000 --regid=4500 --groups=4600 "$@" 2>&1; }
    as_other() { setpriv --reuid=4001 --regid=4501 --groups=4600 "$@" 2>&1; }
    as_one bash -c 'umask 000; cd "$1" && touch sticky/{a,b,c} && mkdir sticky/folder && touch group/of-one &&
        cd sticky && mkdir -m 1777 deeper && touch deeper/file' bash "$folder"
    as_other bash -c 'cd "$1/sticky"
        rm -f a; mv b renamed; rmdir folder; echo text >own && mv own a; mv own c; rm -f deeper/file
        echo text >>c && touch own && mv own other && rm -f other' bash "$folder"
    as_other bash -c 'cd "$1/group" && touch of-other && rm of-one && chgrp 4600 of-other; chgrp 0 of-other
        chgrp 4500 of-other; chown 4000 of-other; chmod 0600 ../sticky/c' bash "$folder"
    setpriv --reuid=4002 --regid=4502 --clear-groups ls "$folder/group" 2>&1
    (cd "$folder" && find . -printf '%p %M %U %G\n' | sort)
}

shared_folders() {
    mkdir -p source native view
    chmod 0755 source native
    ok "mounted with --allow-other" scopefs mount --allow-other --source source --rule write=/ view
    local natively
    natively=$(share_folder native | sed s/native/view/g)
    is "sticky folders, and groups that a user is in besides, are as natively" "$(share_folder view)" \
        "$natively"
    like "where one keeps the other from removing" "$natively" "cannot remove 'a': Operation not permitted"
    like "but for a group that both are in" "$natively" 'group/of-other -rw-r--r-- 4001 4600'
    unmount_view view
}

# Who of some users and groups may do what; each line of the answer is one of them.
access_of() { # FOLDER
    local who
    for who in 4000:4500 4001:4501 4002:4500 4003:4503 4004:4504; do
        setpriv --reuid="${who%:*}" --regid="${who#*:}" --clear-groups bash -c '
            echo -n "$2: "
            for name in named denied masked plain; do
                { exec 3<"$1/$name" && echo -n "reads $name, "; } 2>/dev/null
                { exec 3>>"$1/$name" && echo -n "writes $name, "; } 2>/dev/null
            done
            for name in listed closed; do
                ls "$1/$name" >/dev/null 2>&1 && echo -n "lists $name, "
                [[ -e $1/$name/file ]] && echo -n "enters $name, "
                touch "$1/$name/new-$2" 2>/dev/null && echo -n "makes in $name, "
            done
            echo' bash "$1" "$who"
    done
}

# With an ACL the group's bits of the mode are no longer what the group may do.
access_lists() {
    local folder
    mkdir -p source native view
    for folder in source native; do
        chmod 0755 "$folder"
        touch "$folder"/{named,denied,masked,plain}
        mkdir "$folder"/{listed,closed}
        touch "$folder"/{listed,closed}/file
        chmod 0640 "$folder"/{named,masked,plain} && chmod 0644 "$folder/denied"
        chmod 0700 "$folder"/{listed,closed}
        chown -R 4000:4500 "$folder"/*
        setfacl -m u:4001:rw,g::- "$folder/named"
        setfacl -m u:4003:- "$folder/denied"
        setfacl -m u:4001:rw,g:4503:rw,m::r "$folder/masked"
        setfacl -m u:4001:rx,g:4503:rwx "$folder/listed"
    done
    ok "mounted with --allow-other" scopefs mount --allow-other --source source --rule write=/ view
    is "ACLs of the source let in and keep out whom they should" "$(access_of view)" \
        "$(access_of native)"
    is "and are shown" "$(getfacl -np view/named)" "$(getfacl -np source/named | sed s/source/view/)"
    fails "but not set through the view" setfacl -m u:4004:rw view/plain
    like "which is said to be not supported" "$errors" 'not supported'
    fails "so cp -a tells what it cannot keep" cp -a source/named view/copy
    ok "and copies the rest" cmp source/named view/copy
    unmount_view view
}

# Views of all kinds that root makes for others, and the user's own.
views_of_root() {
    local kind owner
    owner=$(id -u "$test_user"):$(id -g "$test_user")
    export TEST_OWNER=$owner
    test_prepare_user
    mkdir -p source native view
    chown "$owner" source native
    usermod -a -G daemon "$test_user"
    for kind in "--allow-other" "--for-user=$owner"; do
        rm -rf source/* native/*
        ok "mounted with $kind" scopefs mount "$kind" --source source --rule write=/ view
        test_prefix="$kind: "
        set_id_bits view
        creation view
        test_prefix=
        unmount_view view
    done
}

if ((EUID == 0)); then
    test_run_body views_of_root
    test_run_body access_lists
    test_run_body shared_folders
else
    skip "started by an ordinary user" "views that root makes for others"
fi
done_testing
