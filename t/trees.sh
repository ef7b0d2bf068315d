# shellcheck shell=bash disable=SC2154 # variables of lib.sh
# Trees that tools work on, and what became of them. Sourced after lib.sh.

# A C project with sub-folders, a generated source, a library and a test, and a history of its own.
make_repository() { # DIR
    mkdir -p "$1"/{lib,tools,data}
    (
        cd "$1" || exit
        local number
        for number in $(seq 1 40); do
            printf 'int part_%d(int x);\nint part_%d(int x)\n{\n    return x + %d;\n}\n' \
                "$number" "$number" "$number" >"lib/part_$number.c"
        done
        cat >tools/sum.c <<'END'
#include "parts.h"
#include <stdio.h>
int main(void)
{
    printf("%d\n", parts_sum());
    return 0;
}
END
        cat >Makefile <<'END'
parts := $(patsubst lib/%.c,%,$(wildcard lib/*.c))
all: sum
parts.h: Makefile
	{ for part in $(parts); do echo "int $$part(int);"; done; \
	  echo 'static int parts_sum(void) { int sum = 0;'; \
	  for part in $(parts); do echo "sum += $$part(0);"; done; \
	  echo 'return sum; }'; } > $@.new && mv $@.new $@
libparts.a: $(parts:%=lib/%.o)
	ar rcD $@ $^
sum: tools/sum.c parts.h libparts.a
	$(CC) -I. -o $@ tools/sum.c libparts.a
check: sum
	test "$$(./sum)" = 820
clean:
	rm -f sum libparts.a parts.h lib/*.o
END
        printf '%s\n' '*.o' '*.a' parts.h sum >.gitignore
        printf 'binary\0\377\n' >data/blob
        ln -s ../lib/part_1.c data/link
        ln -s nowhere data/dangling
        chmod +x data/blob
        : >"data/name with blanks"
        printf 'x\n' >"data/"$'new\nline'
        git init -q . && git add -A && git commit -qm first
    )
}

# Content, types, modes, link targets and sizes of a tree; times and inode numbers left out.
snapshot() { # DIR
    (
        cd "$1" || exit
        find . -name .git -prune -o -printf '%p %y %#m %n %l %u %g\n' | sort
        find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    )
}

# Runs FUNCTION in the view and in a plain copy of the same directory, and compares both.
same_as_natively() { # FUNCTION NAME
    local function=$1 name=$2
    rm -rf "$workdir/native"
    cp -a "$workdir/source" "$workdir/native"
    (cd "$workdir/native" && "$function") >"$workdir/native.out" 2>&1
    is "$name: works natively" $? 0 || diag "$(tail -n 20 "$workdir/native.out")"
    (cd "$view" && "$function") >"$workdir/view.out" 2>&1
    is "$name: works in the view" $? 0 || diag "$(tail -n 20 "$workdir/view.out")"
    is "$name: leaves the same tree" \
        "$(diff <(snapshot "$workdir/native") <(snapshot "$workdir/source") | head -n 20)" ''
    is "$name: the same contents" \
        "$(diff -r --no-dereference -x .git "$workdir/native" "$workdir/source" | head)" ''
    is "$name: the view shows what is there" \
        "$(diff <(snapshot "$view") <(snapshot "$workdir/source") | head -n 20)" ''
}
