/* Time that only goes on. */
#ifndef SCOPEFS_EXEC_CLOCK_H
#define SCOPEFS_EXEC_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

static inline int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Milliseconds from now on; 0 and what cannot be counted are never. */
static inline int64_t clock_deadline(unsigned long milliseconds)
{
    int64_t length, deadline;
    if (milliseconds == 0 || __builtin_mul_overflow(milliseconds, 1000, &length) ||
        __builtin_add_overflow(clock_us(), length, &deadline))
        return CLOCK_NEVER;
    return deadline;
}

/* What poll(2) takes for a time to come; rounded up, so that it is over then. */
static inline int clock_poll_time(int64_t deadline)
{
    if (deadline == CLOCK_NEVER)
        return -1;
    int64_t left = (deadline - clock_us() + 999) / 1000;
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

#endif
