#include "refusal.h"

#include "scopefs/log.h"
#include "scopefs/strbuf.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* A burst is told whole; after it, this many lines per second. */
enum { LINES_PER_SECOND = 50, BURST = 500 };

static struct {
    pthread_mutex_t lock; /* guards all below */
    time_t second;
    unsigned allowance, dropped;
} limiter = {.lock = PTHREAD_MUTEX_INITIALIZER, .allowance = BURST};

/* Whether a line may be written now; *dropped is what was left out since the last one. */
static bool may_write(unsigned *dropped)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    pthread_mutex_lock(&limiter.lock);
    if (now.tv_sec != limiter.second) {
        time_t passed = now.tv_sec - limiter.second;
        unsigned more = passed > BURST ? BURST : (unsigned)passed * LINES_PER_SECOND;
        limiter.allowance = limiter.allowance + more > BURST ? BURST : limiter.allowance + more;
        limiter.second = now.tv_sec;
    }
    bool may = limiter.allowance > 0;
    if (may) {
        limiter.allowance--;
        *dropped = limiter.dropped;
        limiter.dropped = 0;
    } else {
        limiter.dropped++;
    }
    pthread_mutex_unlock(&limiter.lock);
    return may;
}

static const char *wanted_level(enum want want)
{
    switch (want) {
    case WANT_SEE:
        return level_name(LEVEL_VIEW);
    case WANT_READ:
        return level_name(LEVEL_READ);
    default:
        return level_name(LEVEL_WRITE);
    }
}

static void add_decider(struct strbuf *line, const struct state *state)
{
    struct verdict verdict = state_verdict(state);
    const struct rule *decider = verdict.ceiling ? verdict.ceiling : verdict.rule;
    if (verdict.parent)
        strbuf_add_format(line, "the parent scope %s", verdict.parent);
    else if (decider)
        strbuf_add_format(line, "%s:%u %s%s = %s", decider->file, decider->line,
                          decider->is_ceiling ? "ceiling " : "", level_name(decider->level),
                          decider->pattern);
    else
        strbuf_add_text(line, "the scope's default");
}

void refusal_log(struct view *view, struct node *node, const char *name, const struct state *state,
                 enum want want, const char *operation, int answer)
{
    unsigned dropped = 0;
    atomic_fetch_add_explicit(&view->counters.refusals, 1, memory_order_relaxed);
    if (!may_write(&dropped))
        return;
    cleanup_node_path struct node_path path;
    if (node_path(view->nodes, node, name, &path) != 0)
        path.length = 0;
    cleanup_strbuf struct strbuf line = {0};
    strbuf_add_format(&line, "%s: refused %s of /", view->name, operation);
    strbuf_add_quoted(&line, path.bytes ? path.bytes : "", path.length);
    strbuf_add_format(&line, ": needs %s, has %s by ", wanted_level(want),
                      level_name(state_level(state)));
    add_decider(&line, state);
    strbuf_add_format(&line, " (%s)", strerrorname_np(answer));
    if (dropped)
        strbuf_add_format(&line, "; %u refusals before it were not written", dropped);
    log_info("%s", line.bytes);
}
