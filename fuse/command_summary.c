#include "audit_reader.h"
#include "commands.h"

#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdio.h>

static const struct option_row option_rows[] = {HELP_ROW, {0}};

const struct command summary_command = {
    .name = "scopefs summary",
    .synopsis = "SCOPE",
    .purpose = "Says by directory what was read, written and refused in a scope, as far as it was "
               "recorded: with 'log = all' everything, else what was refused.",
    .options = option_rows,
};

struct directory {
    char *path;
    unsigned long read, written, refused;
};

struct refusal {
    char *text; /* path and what decided */
    unsigned long times;
};

struct summary {
    struct directory *directories;
    size_t directory_count;
    struct refusal *refusals;
    size_t refusal_count;
    unsigned long lost;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    (void)context;
    (void)argument;
    (void)error;
    command_is_help(&summary_command, row);
    return 0;
}

/* The entry with this path. Takes the path over. The files are small, so that a search is enough.
 */
static struct directory *find_directory(struct summary *summary, char *path)
{
    for (size_t i = summary->directory_count; i-- > 0;)
        if (strcmp(summary->directories[i].path, path) == 0) {
            free(path);
            return &summary->directories[i];
        }
    summary->directories = xreallocarray(summary->directories, summary->directory_count + 1,
                                         sizeof(*summary->directories));
    struct directory *made = &summary->directories[summary->directory_count++];
    *made = (struct directory){.path = path};
    return made;
}

static bool is_of_network(const struct audit_line *line)
{
    return strcmp(line->wanted, AUDIT_NETWORK) == 0;
}

static void add_refusal(struct summary *summary, const struct audit_line *line, unsigned long times)
{
    struct strbuf text = {0};
    strbuf_add_quoted(&text, line->path, strlen(line->path));
    if (!is_of_network(line)) {
        strbuf_add_format(&text, ": needs %s, has %s by ", line->wanted, line->level);
        strbuf_add_quoted(&text, line->decider, strlen(line->decider));
    }
    strbuf_add_text(&text, is_of_network(line) ? ": " : line->rule[0] ? " " : "");
    strbuf_add_quoted(&text, line->rule, strlen(line->rule));
    char *key = strbuf_steal(&text);
    for (size_t i = summary->refusal_count; i-- > 0;)
        if (strcmp(summary->refusals[i].text, key) == 0) {
            summary->refusals[i].times += times;
            free(key);
            return;
        }
    summary->refusals =
        xreallocarray(summary->refusals, summary->refusal_count + 1, sizeof(*summary->refusals));
    summary->refusals[summary->refusal_count++] = (struct refusal){key, times};
}

static void add_line(void *data, const struct audit_line *line)
{
    struct summary *summary = data;
    if (is_of_network(line)) {
        add_refusal(summary, line, 1);
        return;
    }
    const char *slash = strrchr(line->path, '/');
    struct directory *directory = find_directory(
        summary, slash && slash > line->path ? xmemdup0(line->path, (size_t)(slash - line->path))
                                             : xstrdup("/"));
    unsigned long times = line->repeats ? line->repeats : 1;
    summary->lost += line->dropped;
    if (line->error) {
        directory->refused += times;
        add_refusal(summary, line, times);
    } else if (strcmp(line->wanted, "write") == 0) {
        directory->written += times;
    } else if (strcmp(line->wanted, "read") == 0) {
        directory->read += times;
    }
}

static int compare_directories(const void *one, const void *other)
{
    return strcmp(((const struct directory *)one)->path, ((const struct directory *)other)->path);
}

static int compare_refusals(const void *one, const void *other)
{
    unsigned long first = ((const struct refusal *)one)->times;
    unsigned long second = ((const struct refusal *)other)->times;
    return (first < second) - (first > second);
}

static void print(struct summary *summary)
{
    printf("%8s %8s %8s  %s\n", "READ", "WRITTEN", "REFUSED", "DIRECTORY");
    if (summary->directory_count)
        qsort(summary->directories, summary->directory_count, sizeof(*summary->directories),
              compare_directories);
    for (size_t i = 0; i < summary->directory_count; i++) {
        const struct directory *directory = &summary->directories[i];
        cleanup_strbuf struct strbuf path = {0};
        strbuf_add_quoted(&path, directory->path, strlen(directory->path));
        if (directory->read || directory->written || directory->refused)
            printf("%8lu %8lu %8lu  %s\n", directory->read, directory->written, directory->refused,
                   path.bytes);
    }
    if (summary->refusal_count) {
        qsort(summary->refusals, summary->refusal_count, sizeof(*summary->refusals),
              compare_refusals);
        printf("\nRefused:\n");
    }
    for (size_t i = 0; i < summary->refusal_count; i++)
        printf("%8lu  %s\n", summary->refusals[i].times, summary->refusals[i].text);
    if (summary->lost)
        printf("\n%lu records were lost in floods.\n", summary->lost);
}

static void free_summary(struct summary *summary)
{
    for (size_t i = 0; i < summary->directory_count; i++)
        free(summary->directories[i].path);
    for (size_t i = 0; i < summary->refusal_count; i++)
        free(summary->refusals[i].text);
    free(summary->directories);
    free(summary->refusals);
}

int command_summary(int argc, char **argv)
{
    struct summary summary = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&summary_command, argc, argv, take_option, NULL, &error);
    if (operands < 0)
        return command_usage(&summary_command, error->message);
    if (operands != 1)
        return command_usage(&summary_command, "give one SCOPE");
    int failed = audit_read(argv[1], false, add_line, &summary, &error);
    if (!failed)
        print(&summary);
    free_summary(&summary);
    return failed ? command_fail(&summary_command, error) : STATUS_OK;
}
