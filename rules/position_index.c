#include "position_index.h"

#include "policy_internal.h"

#include <endian.h>
#include <string.h>

#define MAX_KEY_LENGTH 16

/* What tells apart the same bytes as head, as tail and as a whole name. */
enum key_class { CLASS_HEAD = 0x100, CLASS_TAIL = 0x200, CLASS_WHOLE = 0x1000 };

/* Up to 16 bytes as two numbers; zeros for those that are not there. */
struct key_bytes {
    uint64_t low, high; /* of the first eight bytes, of the last eight */
};

static struct key_bytes load_bytes(const unsigned char bytes[MAX_KEY_LENGTH])
{
    struct key_bytes loaded;
    memcpy(&loaded.low, bytes, 8);
    memcpy(&loaded.high, bytes + 8, 8);
    loaded.low = le64toh(loaded.low);
    loaded.high = le64toh(loaded.high);
    return loaded;
}

static size_t key_length(size_t length)
{
    return length < MAX_KEY_LENGTH ? length : MAX_KEY_LENGTH;
}

static struct key_bytes load_head(const void *bytes, size_t length)
{
    unsigned char padded[MAX_KEY_LENGTH] = {0};
    memcpy(padded, bytes, key_length(length));
    return load_bytes(padded);
}

/* So that the very last byte is the highest of `high`. */
static struct key_bytes load_tail(const void *bytes, size_t length)
{
    unsigned char padded[MAX_KEY_LENGTH] = {0};
    size_t used = key_length(length);
    memcpy(padded + MAX_KEY_LENGTH - used, (const char *)bytes + length - used, used);
    return load_bytes(padded);
}

/* The number without all but its lowest, or highest, `count` bytes. */
static uint64_t low_bytes(uint64_t number, size_t count)
{
    return count >= 8 ? number : number & ((UINT64_C(1) << (8 * count)) - 1);
}

static uint64_t high_bytes(uint64_t number, size_t count)
{
    return count >= 8 ? number : number & ~(UINT64_MAX >> (8 * count));
}

static uint64_t mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Of the first or last `length` bytes, 1 to 16. */
static uint32_t head_key(struct key_bytes head, size_t length)
{
    uint64_t hash = mix(CLASS_HEAD + length, low_bytes(head.low, length));
    return (uint32_t)mix(hash, length > 8 ? low_bytes(head.high, length - 8) : 0);
}

static uint32_t tail_key(struct key_bytes tail, size_t length)
{
    uint64_t hash = mix(CLASS_TAIL + length, high_bytes(tail.high, length));
    return (uint32_t)mix(hash, length > 8 ? high_bytes(tail.low, length - 8) : 0);
}

static uint32_t whole_key(const char *name, size_t length)
{
    uint64_t hash = CLASS_WHOLE + length, number;
    for (; length > MAX_KEY_LENGTH; length -= 8, name += 8) {
        memcpy(&number, name, 8);
        hash = mix(hash, number);
    }
    struct key_bytes rest = load_head(name, length);
    return (uint32_t)mix(mix(hash, rest.low), rest.high);
}

static uint32_t component_head_key(const struct component *component)
{
    return head_key(load_head(component->head, component->head_length),
                    key_length(component->head_length));
}

static uint32_t component_tail_key(const struct component *component)
{
    return tail_key(load_tail(component->tail, component->tail_length),
                    key_length(component->tail_length));
}

static size_t slots_for(size_t count)
{
    size_t slots = 4;
    while (slots < count * 2 + 1)
        slots *= 2;
    return slots;
}

static size_t filter_words_for(size_t count)
{
    return slots_for(count) / 32 + 1;
}

size_t position_index_size(size_t count)
{
    return filter_words_for(count) * sizeof(uint64_t) +
           slots_for(count) * sizeof(struct index_slot) +
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
    uint32_t bit = hash & index->filter_mask;
    index->filter[bit / 64] |= UINT64_C(1) << (bit % 64);
    slot->hash = hash;
    index->entries[index->entry_count] =
        (struct index_entry){.position = number, .next = slot->first};
    slot->first = index->entry_count++;
    slot->count++;
}

/* A pattern with both a head and a tail goes where fewer others are: `test_*.c` and a thousand more
 * that end in `.c` under their heads. */
static bool prefers_head(const struct position_index *index, const struct component *component)
{
    size_t head = component->head_length, tail = component->tail_length;
    if (head == 0 || tail == 0)
        return head > 0;
    uint32_t by_head = find_slot(index, component_head_key(component))->count;
    uint32_t by_tail = find_slot(index, component_tail_key(component))->count;
    return by_head < by_tail || (by_head == by_tail && head > tail);
}

static void add_position(struct position_index *index, const struct component *component,
                         uint32_t number)
{
    if (component->kind == COMPONENT_LITERAL) {
        index->has_literals = true;
        add_keyed(index, whole_key((const char *)component->head, component->head_length), number);
    } else if (component->head_length == 0 && component->tail_length == 0) {
        index->unkeyed[index->unkeyed_count++] = number;
    } else if (prefers_head(index, component)) {
        index->head_lengths |= 1u << key_length(component->head_length);
        add_keyed(index, component_head_key(component), number);
    } else {
        index->tail_lengths |= 1u << key_length(component->tail_length);
        add_keyed(index, component_tail_key(component), number);
    }
}

void position_index_build(struct position_index *index, void *memory,
                          const struct position *positions, const uint32_t *numbers, size_t count)
{
    size_t words = filter_words_for(count), slots = slots_for(count);
    memset(memory, 0, position_index_size(count));
    *index = (struct position_index){
        .filter_mask = (uint32_t)(slots * 2 - 1), .mask = (uint32_t)(slots - 1), .filter = memory};
    index->slots = (struct index_slot *)(void *)(index->filter + words);
    index->entries = (struct index_entry *)(void *)(index->slots + slots);
    index->unkeyed = (uint32_t *)(void *)(index->entries + count);
    for (size_t i = 0; i < count; i++)
        add_position(index, &positions[numbers[i]].component, numbers[i]);
}

static bool probe(const struct position_index *index, uint32_t hash, position_visitor *visit,
                  void *context)
{
    uint32_t bit = hash & index->filter_mask;
    if (!(index->filter[bit / 64] >> (bit % 64) & 1))
        return true;
    const struct index_slot *slot = find_slot(index, hash);
    uint32_t entry = slot->first;
    for (uint32_t i = 0; i < slot->count; i++) {
        if (!visit(context, index->entries[entry].position))
            return false;
        entry = index->entries[entry].next;
    }
    return true;
}

/* Of the key lengths in the set, those that a name of this length has. */
static uint32_t possible_lengths(uint32_t lengths, size_t length)
{
    return lengths & ((2u << key_length(length)) - 1);
}

static bool search_heads(const struct position_index *index, const char *name, size_t length,
                         position_visitor *visit, void *context)
{
    struct key_bytes head = load_head(name, length);
    for (uint32_t left = possible_lengths(index->head_lengths, length); left; left &= left - 1)
        if (!probe(index, head_key(head, (size_t)__builtin_ctz(left)), visit, context))
            return false;
    return true;
}

static bool search_tails(const struct position_index *index, const char *name, size_t length,
                         position_visitor *visit, void *context)
{
    struct key_bytes tail = load_tail(name, length);
    for (uint32_t left = possible_lengths(index->tail_lengths, length); left; left &= left - 1)
        if (!probe(index, tail_key(tail, (size_t)__builtin_ctz(left)), visit, context))
            return false;
    return true;
}

bool position_index_search(const struct position_index *index, const char *name, size_t length,
                           position_visitor *visit, void *context)
{
    for (size_t i = 0; i < index->unkeyed_count; i++)
        if (!visit(context, index->unkeyed[i]))
            return false;
    if (index->head_lengths && !search_heads(index, name, length, visit, context))
        return false;
    if (index->tail_lengths && !search_tails(index, name, length, visit, context))
        return false;
    return !index->has_literals || probe(index, whole_key(name, length), visit, context);
}
