/*
 * Eight threads step through one policy at once, so that they make the same new states at the same
 * time; all must come to the same ones. ThreadSanitizer watches when it is built in.
 */
#include "../tap.h"
#include "random.h"
#include "sandbox.h"

#include "scopefs/mem.h"

#include <pthread.h>

#define THREADS 8
#define PATHS   3000
#define DEPTH   5

static const char text[] = "[scope top]\nsource = /s\ndefault = write\n[rules top]\nread = b*b\n"
                           "[scope s]\nsource = /s/t\nparent = top\n"
                           "[rules s]\nread = /\nwrite = a*/**/b\nnone = [ab]c?d*\nview = /c/*/a\n"
                           "none = **/{x,y}*{y,x}/*/?\nwrite = ab\n"
                           "[ceiling s]\nread = b/*c*\nnone = .[ab]*\nview = c[!x]a\n";

static const char *const names[] = {"a",   "b",  "c",   "ab", "acbd", "x1y",
                                    "y1x", "ba", "caa", ".a", "bcd",  "bbb"};

static char *paths[PATHS];
static const struct policy *policy;
static const struct state *found[THREADS][PATHS];
static pthread_barrier_t barrier;

static void make_paths(void)
{
    for (size_t i = 0; i < PATHS; i++) {
        char path[64] = "";
        for (unsigned left = 1 + random_below(DEPTH); left > 0; left--) {
            strcat(path, names[random_below(sizeof(names) / sizeof(names[0]))]);
            strcat(path, left > 1 ? "/" : "");
        }
        paths[i] = xstrdup(path);
    }
}

/* Each thread starts at another path, so that they meet in the middle of the work. */
static void *walk(void *argument)
{
    size_t number = (size_t)(uintptr_t)argument;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < PATHS; i++) {
        size_t at = number % 2 ? PATHS - 1 - i : i;
        found[number][at] = policy_find(policy, paths[at], strlen(paths[at]));
    }
    return NULL;
}

static size_t count_differences(const struct policy *alone)
{
    size_t different = 0;
    for (size_t i = 0; i < PATHS; i++) {
        const struct state *expected = policy_find(alone, paths[i], strlen(paths[i]));
        for (size_t k = 0; k < THREADS; k++)
            different += found[k][i] != found[0][i] ||
                         state_level(found[k][i]) != state_level(expected) ||
                         state_reach(found[k][i]) != state_reach(expected);
    }
    return different;
}

int main(void)
{
    unsigned long seed = random_start(7);
    note("seed %lu", seed);
    make_paths();
    struct config *config = must_load(text), *other = must_load(text);
    policy = config->scopes[1]->policy;
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    size_t started = 0;
    while (started < THREADS &&
           pthread_create(&threads[started], NULL, walk, (void *)(uintptr_t)started) == 0)
        started++;
    if (started < THREADS) {
        printf("Bail out! cannot start a thread\n");
        return 99;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    is_int(count_differences(other->scopes[1]->policy), 0,
           "%d threads come to the same states, and to what one alone finds", THREADS);
    pthread_barrier_destroy(&barrier);
    config_free(config);
    config_free(other);
    for (size_t i = 0; i < PATHS; i++)
        free(paths[i]);
    return done_testing();
}
