/*
 * What one step of the rule engine costs, by the number and the kind of the rules that wait in the
 * directory: nanoseconds for a name that nothing matches and for one that something matches,
 * medians of interleaved runs. The ratio is to 10 rules of the same kind.
 *
 *     engine [MILLISECONDS [RULES]]    a run takes at least so long; no more rules than that
 */
#include "scopefs/config.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define NAMES  256
#define RUNS   9
#define RUN_MS 4

/* A kind of rule: a format for its pattern and one for a name that it matches, of the rule's
 * number. */
struct kind {
    const char *about, *pattern, *name;
};

static const struct kind kinds[] = {
    {"literal, anchored", "/dir/name%u.txt", "name%u.txt"},
    {"literal", "name%u.txt", "name%u.txt"},
    {"suffix", "*.ext%u", "some-file.ext%u"},
    {"prefix", "prefix%u-*", "prefix%u-more"},
    {"prefix and suffix", "test%u_*.c", "test%u_some.c"},
    {"sets and wildcards", "a%u?[xyz]*end", "a%u.x.and.the.end"},
    {"no literal at either end", "*[xyz]%u?", "..x%u."},
    {"between two stars, PCRE2", "*z%u?*", "some-z%u-file"},
    {"below **", "**/build%u/*.o", "build%u"},
};

static const unsigned counts[] = {10, 100, 1000, 10000};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

struct series {
    struct config *config;
    const struct state *state;
    char *names[2][NAMES]; /* that nothing matches, and that a rule matches */
    double times[2][RUNS];
};

static void make_names(struct series *series, const struct kind *kind, unsigned count)
{
    for (unsigned i = 0; i < NAMES; i++) {
        unsigned number = (i * 2654435761u) % count;
        series->names[0][i] = xasprintf("some-source-file-%u.rs", i);
        struct strbuf name = {0};
        const char *conversion = strstr(kind->name, "%u");
        strbuf_add(&name, kind->name, (size_t)(conversion - kind->name));
        strbuf_add_format(&name, "%u%s", number, conversion + 2);
        series->names[1][i] = strbuf_steal(&name);
    }
}

static void start(struct series *series, const struct kind *kind, unsigned count)
{
    cleanup_diagnostics struct diagnostics diagnostics = {0};
    const char **rules = xcalloc(count + 2, sizeof(*rules));
    rules[0] = xstrdup("write=/");
    const char *conversion = strstr(kind->pattern, "%u");
    for (unsigned i = 0; i < count; i++)
        rules[i + 1] = xasprintf("none=%.*s%u%s", (int)(conversion - kind->pattern), kind->pattern,
                                 i, conversion + 2);
    series->config = config_from_options("bench", "/s", NULL, rules, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (!series->config)
        exit(1);
    for (unsigned i = 0; i <= count; i++)
        free((char *)(uintptr_t)rules[i]);
    free(rules);
    series->state = policy_find(series->config->scopes[0]->policy, "dir", 3);
    make_names(series, kind, count);
}

static void finish(struct series *series)
{
    config_free(series->config);
    for (unsigned i = 0; i < NAMES; i++) {
        free(series->names[0][i]);
        free(series->names[1][i]);
    }
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double measure(const struct state *state, char *const *names, double run_ns)
{
    size_t lengths[NAMES], levels = 0, steps = 0;
    for (unsigned i = 0; i < NAMES; i++)
        lengths[i] = strlen(names[i]);
    double start = now_ns(), passed;
    do {
        for (unsigned i = 0; i < NAMES; i++)
            levels += state_level(state_step(state, names[i], lengths[i]));
        steps += NAMES;
        passed = now_ns() - start;
    } while (passed < run_ns);
    __asm__ volatile("" : : "r"(levels));
    return passed / (double)steps;
}

static int compare(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

static double median(double *times)
{
    qsort(times, RUNS, sizeof(*times), compare);
    return times[RUNS / 2];
}

static void run(const struct kind *kind, double run_ns, unsigned most_rules)
{
    size_t used = 1;
    while (used < COUNTS && counts[used] <= most_rules)
        used++;
    struct series series[COUNTS];
    for (size_t i = 0; i < used; i++)
        start(&series[i], kind, counts[i]);
    for (int run = -1; run < RUNS; run++)
        for (size_t i = 0; i < used; i++)
            for (int matching = 0; matching < 2; matching++) {
                double time = measure(series[i].state, series[i].names[matching], run_ns);
                if (run >= 0) /* the first one warms up */
                    series[i].times[matching][run] = time;
            }
    double first[2] = {median(series[0].times[0]), median(series[0].times[1])};
    for (size_t i = 0; i < used; i++) {
        double none = median(series[i].times[0]), some = median(series[i].times[1]);
        printf("%-31s %6u %12.1f %6.2f %12.1f %6.2f\n", kind->about, counts[i], none,
               none / first[0], some, some / first[1]);
        finish(&series[i]);
    }
}

int main(int argc, char **argv)
{
    double run_ns = (argc > 1 ? atof(argv[1]) : RUN_MS) * 1e6;
    unsigned most_rules = argc > 2 ? (unsigned)atoi(argv[2]) : UINT_MAX;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%-31s %6s %12s %6s %12s %6s\n", "kind of rule", "rules", "no match ns", "ratio",
           "match ns", "ratio");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        run(&kinds[i], run_ns, most_rules);
    return 0;
}
