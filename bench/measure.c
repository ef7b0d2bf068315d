/*
 * The benchmark's stopwatch: does one thing several times and prints the seconds that each took.
 *
 *     measure [-w RUNS] [-n RUNS] [-s SECONDS] WHAT ARG...
 *
 * First -w runs that warm up, then at most -n that count, but no new one after -s seconds.
 */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct subject {
    const char *name, *arguments;
    int count;
    void (*prepare)(char **arguments);
    void (*run)(char **arguments);
};

static const struct subject subjects[] = {
    {"run", "COMMAND ARG...", 1, NULL, run_command},
    {"stat", "DIR COUNT", 2, loop_prepare, loop_stat},
    {"open", "DIR COUNT", 2, loop_prepare, loop_open},
    {"readlink", "DIR COUNT", 2, loop_prepare, loop_readlink},
    {"absent", "DIR COUNT", 2, loop_prepare, loop_absent},
    {"exec", "DIR COUNT", 2, loop_prepare, loop_exec},
    {"map", "FILE", 1, NULL, read_mapped},
    {"walk", "WALKERS DIR", 2, NULL, walk_tree},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

noreturn void measure_fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

unsigned measure_number(const char *text)
{
    char *rest;
    errno = 0;
    unsigned long number = strtoul(text, &rest, 10);
    if (errno || rest == text || *rest || number > 1000000000) {
        fprintf(stderr, "measure: not a number: %s\n", text);
        exit(2);
    }
    return (unsigned)number;
}

static noreturn void print_usage(void)
{
    fputs("usage: measure [-w RUNS] [-n RUNS] [-s SECONDS] WHAT ARG...\n", stderr);
    for (size_t i = 0; i < SUBJECTS; i++)
        fprintf(stderr, "       measure %s %s\n", subjects[i].name, subjects[i].arguments);
    exit(2);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void measure(const struct subject *subject, char **arguments, unsigned warm, unsigned runs,
                    unsigned seconds)
{
    if (subject->prepare)
        subject->prepare(arguments);
    for (unsigned i = 0; i < warm; i++)
        subject->run(arguments);
    double end = now() + seconds;
    for (unsigned i = 0; i < runs && (i == 0 || now() < end); i++) {
        double start = now();
        subject->run(arguments);
        printf("%.9f\n", now() - start);
    }
}

int main(int argc, char **argv)
{
    unsigned warm = 0, runs = 1, seconds = 1;
    int letter;
    while ((letter = getopt(argc, argv, "+w:n:s:")) != -1) {
        if (letter == 'w')
            warm = measure_number(optarg);
        else if (letter == 'n')
            runs = measure_number(optarg);
        else if (letter == 's')
            seconds = measure_number(optarg);
        else
            print_usage();
    }
    for (size_t i = 0; optind < argc && i < SUBJECTS; i++)
        if (!strcmp(argv[optind], subjects[i].name) && argc - optind > subjects[i].count) {
            measure(&subjects[i], argv + optind + 1, warm, runs, seconds);
            return 0;
        }
    print_usage();
}
