/* Random numbers that come again: the seed is printed, and SCOPEFS_TEST_SEED sets it. */
#ifndef T_UNIT_RANDOM_H
#define T_UNIT_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

static uint64_t random_state;

/* Returns the seed. */
static inline unsigned long random_start(unsigned long otherwise)
{
    const char *given = getenv("SCOPEFS_TEST_SEED");
    unsigned long seed = given ? strtoul(given, NULL, 10) : otherwise;
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x632be59bd9b4e019);
    return seed;
}

/* xorshift64*, Vigna 2016 */
static inline uint32_t random_number(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(random_state * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

static inline unsigned random_below(unsigned limit)
{
    return random_number() % limit;
}

static inline int random_percent(unsigned percent)
{
    return random_below(100) < percent;
}

#endif
