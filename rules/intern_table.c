#include "intern_table.h"

#include <stdlib.h>

static void place(struct intern_slot *slots, size_t room, uint64_t hash, void *item)
{
    size_t at = (size_t)hash & (room - 1);
    while (slots[at].item)
        at = (at + 1) & (room - 1);
    slots[at] = (struct intern_slot){.hash = hash, .item = item};
}

static bool grow(struct intern_table *table)
{
    size_t room = table->room ? table->room * 2 : 64;
    struct intern_slot *slots = calloc(room, sizeof(*slots));
    if (!slots)
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->slots[i].item)
            place(slots, room, table->slots[i].hash, table->slots[i].item);
    free(table->slots);
    table->slots = slots;
    table->room = room;
    return true;
}

void *intern_find(const struct intern_table *table, uint64_t hash, const void *key,
                  intern_equal *equal)
{
    if (!table->room)
        return NULL;
    for (size_t at = (size_t)hash & (table->room - 1); table->slots[at].item;
         at = (at + 1) & (table->room - 1))
        if (table->slots[at].hash == hash && equal(table->slots[at].item, key))
            return table->slots[at].item;
    return NULL;
}

bool intern_add(struct intern_table *table, uint64_t hash, void *item)
{
    if (table->count >= table->room / 2 && !grow(table))
        return false;
    place(table->slots, table->room, hash, item);
    table->count++;
    return true;
}

void intern_free(struct intern_table *table)
{
    free(table->slots);
    *table = (struct intern_table){0};
}
