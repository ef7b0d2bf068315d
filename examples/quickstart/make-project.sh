#!/usr/bin/env bash
# Makes a small project in DIR, which must not exist yet: a git repository with C sources that build,
# documents, and the kind of secrets that lie about in real checkouts.
set -euo pipefail

(($# == 1)) || {
    echo "usage: make-project.sh DIR" >&2
    exit 2
}
mkdir -- "$1"
cd -- "$1"
mkdir src contracts secrets output

cat >README.md <<'END'
# shop

Adds up a basket. `make` builds output/shop; `output/shop PRICE QUANTITY...` prints the total in cents.
END

cat >Makefile <<'END'
CFLAGS = -O2 -Wall -Wextra
objects = output/main.o output/basket.o

output/shop: $(objects)
	$(CC) $(LDFLAGS) -o $@ $(objects)

output/%.o: src/%.c src/basket.h
	$(CC) $(CFLAGS) -c -o $@ $<

clean:
	rm -f output/*
END

cat >src/basket.h <<'END'
#ifndef BASKET_H
#define BASKET_H

/* Prices are in cents. */
struct basket {
    long total;
    int items;
};

void basket_add(struct basket *basket, long price, int quantity);

#endif
END

cat >src/basket.c <<'END'
#include "basket.h"

void basket_add(struct basket *basket, long price, int quantity)
{
    basket->total += price * quantity;
    basket->items += quantity;
}
END

cat >src/main.c <<'END'
#include "basket.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct basket basket = {0, 0};
    for (int i = 1; i + 1 < argc; i += 2)
        basket_add(&basket, atol(argv[i]), atoi(argv[i + 1]));
    printf("%d items, total %ld\n", basket.items, basket.total);
    return 0;
}
END

echo "Acme delivers at 12 cents a piece until the end of the year." >contracts/acme.txt
echo "Our margin is 40 percent." >contracts/margins.txt

# What git has stored can be read wherever .git can, so contracts are kept out of it, like secrets.
printf '%s\n' /output/ /contracts/ /secrets/ .env >.gitignore
echo "PAYMENT_KEY=live-4242-do-not-leak" >.env
echo "live-4242-do-not-leak" >secrets/payment.key

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init -q -b main
git config user.name "Shop Owner"
git config user.email owner@example.org
git add .
git commit -q -m "A basket that adds up"
