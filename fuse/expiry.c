#include "expiry.h"

#include <limits.h>
#include <time.h>

/* How long a view that is over its time, but in use, is left alone. */
enum { RETRY_MS = 60000 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void expiry_start(struct expiry *expiry, unsigned long expires_ms, unsigned long idle_ms)
{
    int64_t now = now_ms();
    *expiry = (struct expiry){
        .expires_at = expires_ms ? now + (int64_t)expires_ms : 0,
        .look_at = idle_ms ? now + (int64_t)idle_ms : 0,
        .idle_ms = (int64_t)idle_ms,
    };
}

static int64_t next_time(const struct expiry *expiry)
{
    if (!expiry->look_at || !expiry->expires_at)
        return expiry->look_at + expiry->expires_at;
    return expiry->look_at < expiry->expires_at ? expiry->look_at : expiry->expires_at;
}

int expiry_timeout(const struct expiry *expiry)
{
    int64_t next = next_time(expiry), now = now_ms();
    if (!next)
        return -1;
    if (next <= now)
        return 0;
    return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

bool expiry_is_due(const struct expiry *expiry)
{
    return expiry_timeout(expiry) == 0;
}

bool expiry_look(struct expiry *expiry, unsigned long long operations)
{
    int64_t now = now_ms();
    bool over = false;
    if (expiry->expires_at && expiry->expires_at <= now) {
        over = true;
        expiry->expires_at = now + RETRY_MS;
    }
    if (expiry->look_at && expiry->look_at <= now) {
        over = over || operations == expiry->operations;
        expiry->operations = operations;
        expiry->look_at = now + expiry->idle_ms;
    }
    return over;
}
