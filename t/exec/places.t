#!/bin/bash
# What a scope adds to the sandbox: variables, folders, another system, another name for the view.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

variables() {
    make_project
    mkdir source/nested
    cat >>"$config" <<END

[exec $scope]
env.BOTH = parent
env.PARENT = yes
env-file = secrets
env-force = LD_PRELOAD

[scope nested-$scope]
source = source/nested
mount = $workdir/views/nested
parent = $scope
default = read
[exec nested-$scope]
env.BOTH = child
END
    printf '# a comment\n\nTOKEN=a = "b" #c\nEMPTY=\nBOTH=file\n' >secrets
    run sandbox_shell 'echo "$TOKEN|$EMPTY|$BOTH|$PARENT"'
    is "variables come from the file too, as they are" "$output" 'a = "b" #c||file|yes'
    run scopefs-exec -c "$config" "nested-$scope" sh -c 'echo "$TOKEN|$BOTH|$PARENT"'
    is "a nested scope has its parent's, and its own over them" "$output" 'a = "b" #c|child|yes'
    run scopefs-exec -c "$config" -e BOTH=line "nested-$scope" sh -c 'echo "$BOTH"'
    is "the command line's come last" "$output" line
    run scopefs-exec -c "$config" -e LD_PRELOAD=none.so "$scope" sh -c 'echo "$LD_PRELOAD"'
    is "env-force takes an unsafe one from the command line" "$output" none.so
    run env LD_PRELOAD= scopefs-exec -c "$config" "$scope" sh -c 'echo "${LD_PRELOAD-unset}"'
    is "and from the environment" "$output" ""
    exits "another unsafe one is refused" 125 scopefs-exec -c "$config" -e BASH_ENV=x "$scope" true
    like "with the mend" "$errors" "env-force = BASH_ENV"
    echo 'no variable' >>secrets
    exits "a bad line of the file is refused" 125 in_sandbox true
    like "with its place" "$errors" "secrets:6: no variable"
    rm secrets
    exits "a missing file is refused" 125 in_sandbox true
    like "and named" "$errors" "env-file = .*/secrets: .*No such file"
}

binds() {
    make_project
    mkdir tools
    echo tool >tools/readme
    cat >>"$config" <<END

[exec $scope]
ro-bind = /etc/issue
ro-bind = tools /opt/tools
ro-bind = tools/readme /etc/readme
END
    run sandbox_shell "cat /opt/tools/readme /etc/readme /etc/issue"
    is "folders and files are shown at their own or another place" "$output" "tool
tool
$(cat /etc/issue)"
    fails "read-only" sandbox_shell 'echo x >/opt/tools/readme'
    echo "ro-bind = tools /tmp/deep/tools" >>"$config"
    echo "ro-bind = tools /home/agent/.tools" >>"$config"
    is "places below the new, empty folders are shown too" \
        "$(sandbox_shell 'cat /tmp/deep/tools/readme ~/.tools/readme; echo x >~/x && cat ~/x')" "tool
tool
x"
    fails "read-only" sandbox_shell 'echo x >/tmp/deep/tools/readme'
    sed -i '/^ro-bind = tools .home/d' "$config"
    sed -i 's,^ro-bind = tools /tmp/deep/tools,ro-bind = tools /workspace/tools,' "$config"
    exits "a place in the view is refused: an agent could have put a link there" 125 in_sandbox true
    like "with the reason" "$errors" "share the place /workspace"
    for place in source source/output .; do
        sed -i "s,^ro-bind = [^ ]* /workspace/tools\|^ro-bind = [^ ]* /opt/all,ro-bind = $place /opt/all," "$config"
        exits "to show $place past the rules is refused" 125 in_sandbox true
        like "with the reason" "$errors" "it would show files of the scope's source, .*/source, past the rules"
    done
    ln -s source link
    sed -i "s,^ro-bind = . /opt/all,ro-bind = link/output /opt/all," "$config"
    exits "by a link, too" 125 in_sandbox true
    sed -i 's,^ro-bind = link/output /opt/all,ro-bind = nowhere,' "$config"
    exits "a path that is not there is refused" 125 in_sandbox true
    like "with its place in the file" "$errors" "scopefs.ini:[0-9]+:11: ro-bind = .*nowhere"
}

workspace() {
    make_project
    printf '\n[exec %s]\nworkspace = /srv/project\n' "$scope" >>"$config"
    run sandbox_shell 'pwd; cat readable; ls -d /workspace'
    is "the view is where the scope says" "$output" "/srv/project
readable"
    run scopefs-exec -c "$config" -w /srv/project/output "$scope" ls
    is "--workdir follows" "$output" old
    sed -i 's,^workspace = .*,workspace = /usr,' "$config"
    exits "a place of the system's is refused" 125 in_sandbox true
    sed -i 's,^workspace = .*,workspace = /home/agent/project,' "$config"
    is "a place in the home is not" "$(sandbox_shell 'cd && cat project/readable')" readable
    sed -i 's,^source = .*,source = /usr/share/perl5,' "$config"
    exits "a source that the system shows anyway is refused" 125 in_sandbox true
    like "with the reason" "$errors" "lies in /usr, which commands see as a part of the system"
}

image() {
    make_project
    mkdir -p image/{bin,etc,var/lib/x,opt/app,proc,tmp,root}
    cp -L /bin/sh image/bin/sh
    # The first program inside is static, but not with sanitizers.
    { ldd image/bin/sh; ! is_sanitized || ldd "$(command -v scopefs-stage2)"; } | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "image${library%/*}" && cp -L "$library" "image$library"
    done
    echo app >image/opt/app/name
    echo image >image/etc/issue
    echo kept >image/var/lib/x/state
    echo 'root:x:0:0::/root:/bin/sh' >image/etc/passwd
    ln -s app image/opt/link
    ln -s bin image/links
    printf '\n[exec %s]\nrootfs = image\n' "$scope" >>"$config"
    run in_sandbox /links/sh -c 'read a </opt/link/name; read b </etc/issue; read c </var/lib/x/state
        read d <readable; echo "$a $b $c $d"; echo /usr/bin/*'
    is "the system is the image's, with the view in it" "$output" "app image kept readable
/usr/bin/*"
    run in_sandbox sh -c 'while read -r line; do echo "$line"; done </etc/passwd'
    like "accounts are made up there too" "$output" "agent:x:"
    fails "the image cannot be written" in_sandbox sh -c 'echo x >/opt/app/name'
    ok "but /tmp can" in_sandbox sh -c 'echo x >/tmp/x; echo x >/var/tmp/x'
    sed -i 's,^rootfs = .*,rootfs = nowhere,' "$config"
    exits "an image that is not there is refused" 125 in_sandbox true
    mv image source/image
    sed -i 's,^rootfs = .*,rootfs = source/image,' "$config"
    exits "one that an agent may change is refused" 125 in_sandbox true
    like "with the reason" "$errors" "it lies in the scope's source"
}

for_each_user variables
for_each_user binds
for_each_user workspace
for_each_user image
done_testing
