#include "position_index.h"

#include "policy_internal.h"

#include <string.h>

#define MAX_KEY_LENGTH 16
#define HASH_SEED      0x811c9dc5u

/* What is added to a key's hash, so that the same bytes as head, tail and whole name differ. */
enum key_class { CLASS_HEAD = 0x100, CLASS_TAIL = 0x200, CLASS_WHOLE = 0x300 };

static uint32_t add_byte(uint32_t hash, unsigned char byte)
{
    return (hash ^ byte) * 0x01000193u;
}

static uint32_t finish(uint32_t hash, uint32_t class_and_length)
{
    hash = (hash ^ class_and_length) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

static size_t key_length(size_t length)
{
    return length < MAX_KEY_LENGTH ? length : MAX_KEY_LENGTH;
}

static uint32_t literal_key(const struct component *component)
{
    uint32_t hash = HASH_SEED;
    for (size_t i = 0; i < component->head_length; i++)
        hash = add_byte(hash, component->head[i]);
    return finish(hash, CLASS_WHOLE);
}

static uint32_t head_key(const struct component *component, size_t length)
{
    uint32_t hash = HASH_SEED;
    for (size_t i = 0; i < length; i++)
        hash = add_byte(hash, component->head[i]);
    return finish(hash, CLASS_HEAD + (uint32_t)length);
}

/* From the last byte backwards, as the search reads a name. */
static uint32_t tail_key(const struct component *component, size_t length)
{
    uint32_t hash = HASH_SEED;
    for (size_t i = 0; i < length; i++)
        hash = add_byte(hash, component->tail[component->tail_length - 1 - i]);
    return finish(hash, CLASS_TAIL + (uint32_t)length);
}

static size_t slots_for(size_t count)
{
    size_t slots = 4;
    while (slots < count * 2 + 1)
        slots *= 2;
    return slots;
}

size_t position_index_size(size_t count)
{
    return slots_for(count) * sizeof(struct index_slot) +
           count * (sizeof(struct index_entry) + sizeof(uint32_t));
}

/* The slot with this hash, or the free one where it belongs. */
static struct index_slot *find_slot(const struct position_index *index, uint32_t hash)
{
    uint32_t at = hash & index->mask;
    while (index->slots[at].count && index->slots[at].hash != hash)
        at = (at + 1) & index->mask;
    return &index->slots[at];
}

static void add_keyed(struct position_index *index, uint32_t hash, uint32_t number)
{
    struct index_slot *slot = find_slot(index, hash);
    slot->hash = hash;
    index->entries[index->entry_count] =
        (struct index_entry){.position = number, .next = slot->first};
    slot->first = index->entry_count++;
    slot->count++;
}

/* A pattern with both a head and a tail goes where fewer others are: `test_*.c` and a thousand more
 * that end in `.c` under their heads. */
static bool prefers_head(const struct position_index *index, const struct component *component,
                         size_t head, size_t tail)
{
    if (head == 0 || tail == 0)
        return head > 0;
    uint32_t by_head = find_slot(index, head_key(component, head))->count;
    uint32_t by_tail = find_slot(index, tail_key(component, tail))->count;
    return by_head < by_tail || (by_head == by_tail && head > tail);
}

static void add_position(struct position_index *index, const struct component *component,
                         uint32_t number)
{
    size_t head = key_length(component->head_length), tail = key_length(component->tail_length);
    if (component->kind == COMPONENT_LITERAL) {
        index->has_literals = true;
        add_keyed(index, literal_key(component), number);
    } else if (head == 0 && tail == 0) {
        index->unkeyed[index->unkeyed_count++] = number;
    } else if (prefers_head(index, component, head, tail)) {
        index->head_lengths |= 1u << head;
        add_keyed(index, head_key(component, head), number);
    } else {
        index->tail_lengths |= 1u << tail;
        add_keyed(index, tail_key(component, tail), number);
    }
}

void position_index_build(struct position_index *index, void *memory,
                          const struct position *positions, const uint32_t *numbers, size_t count)
{
    size_t slots = slots_for(count);
    *index = (struct position_index){.mask = (uint32_t)(slots - 1), .slots = memory};
    memset(index->slots, 0, slots * sizeof(*index->slots));
    index->entries = (struct index_entry *)(void *)(index->slots + slots);
    index->unkeyed = (uint32_t *)(void *)(index->entries + count);
    for (size_t i = 0; i < count; i++)
        add_position(index, &positions[numbers[i]].component, numbers[i]);
}

static bool probe(const struct position_index *index, uint32_t hash, position_visitor *visit,
                  void *context)
{
    const struct index_slot *slot = find_slot(index, hash);
    uint32_t entry = slot->first;
    for (uint32_t i = 0; i < slot->count; i++) {
        if (!visit(context, index->entries[entry].position))
            return false;
        entry = index->entries[entry].next;
    }
    return true;
}

static bool search_forwards(const struct position_index *index, const char *name, size_t length,
                            bool ignore_case, position_visitor *visit, void *context)
{
    uint32_t hash = HASH_SEED;
    for (size_t i = 0; i < length; i++) {
        hash = add_byte(hash, fold_byte((unsigned char)name[i], ignore_case));
        if (i < MAX_KEY_LENGTH && index->head_lengths >> (i + 1) & 1 &&
            !probe(index, finish(hash, CLASS_HEAD + (uint32_t)(i + 1)), visit, context))
            return false;
        if (i + 1 == MAX_KEY_LENGTH && !index->has_literals)
            return true;
    }
    return !index->has_literals || probe(index, finish(hash, CLASS_WHOLE), visit, context);
}

static bool search_backwards(const struct position_index *index, const char *name, size_t length,
                             bool ignore_case, position_visitor *visit, void *context)
{
    uint32_t hash = HASH_SEED;
    for (size_t i = 0; i < length && index->tail_lengths >> (i + 1); i++) {
        hash = add_byte(hash, fold_byte((unsigned char)name[length - 1 - i], ignore_case));
        if (index->tail_lengths >> (i + 1) & 1 &&
            !probe(index, finish(hash, CLASS_TAIL + (uint32_t)(i + 1)), visit, context))
            return false;
    }
    return true;
}

bool position_index_search(const struct position_index *index, const char *name, size_t length,
                           bool ignore_case, position_visitor *visit, void *context)
{
    for (size_t i = 0; i < index->unkeyed_count; i++)
        if (!visit(context, index->unkeyed[i]))
            return false;
    if ((index->has_literals || index->head_lengths) &&
        !search_forwards(index, name, length, ignore_case, visit, context))
        return false;
    return search_backwards(index, name, length, ignore_case, visit, context);
}
