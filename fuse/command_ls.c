#include "commands.h"
#include "mount_point.h"
#include "resolve.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {"config", 'c', "FILE", "read this file instead of looking for scopefs.ini"},
    {"recursive", 'R', NULL, "go down into directories"},
    HELP_ROW,
    {0},
};

const struct command ls_command = {
    .name = "scopefs ls",
    .synopsis = "[-R] [-c FILE] SCOPE [PATH]",
    .purpose = "Lists what is in a scope's source, with the level that the rules give each entry. "
               "Nothing is mounted. 'way' marks a directory that is shown only as the way to "
               "something below it.",
    .options = option_rows,
};

struct ls_options {
    const char *config;
    bool recursive;
};

static int take_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    struct ls_options *options = context;
    (void)error;
    if (command_is_help(&ls_command, row))
        return 0;
    if (row->letter == 'c')
        options->config = argument;
    else
        options->recursive = true;
    return 0;
}

struct walk {
    struct view source; /* only what resolve_in needs */
    bool recursive;
    bool failed;
};

static void print_entry(const struct state *state, const char *path, bool is_directory)
{
    cleanup_strbuf struct strbuf line = {0};
    bool way = is_directory && state_is_way_through(state);
    strbuf_add_format(&line, "%-5s  /", way ? "way" : level_name(state_level(state)));
    strbuf_add_quoted(&line, path, strlen(path));
    puts(line.bytes);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void walk_directory(struct walk *walk, int fd, const char *path, const struct state *state);

static void walk_entry(struct walk *walk, int directory_fd, const char *directory,
                       const struct state *parent, const char *name)
{
    struct stat attributes;
    const struct state *state = state_step(parent, name, strlen(name));
    bool is_directory = fstatat(directory_fd, name, &attributes, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISDIR(attributes.st_mode);
    cleanup_free char *path = xasprintf("%s%s%s", directory, *directory ? "/" : "", name);
    cleanup_free char *shown = xasprintf("%s%s", path, is_directory ? "/" : "");
    print_entry(state, shown, is_directory);
    if (!is_directory || !walk->recursive || state_reach(state) == LEVEL_NONE)
        return;
    int fd = resolve_in(&walk->source, directory_fd, name, O_RDONLY | O_DIRECTORY);
    walk_directory(walk, fd, path, state);
}

/* Consumes `fd`, which may be a negative errno. */
static void walk_directory(struct walk *walk, int fd, const char *path, const struct state *state)
{
    cleanup_fd int owned = fd;
    struct dirent **entries = NULL;
    int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_entry, by_bytes);
    if (count < 0) {
        fprintf(stderr, "scopefs ls: cannot list /%s: %s\n", path, strerror(fd < 0 ? -fd : errno));
        walk->failed = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        walk_entry(walk, owned, path, state, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* Leaves the path without slashes at its ends, and without what counts nothing. */
static char *plain_path(const char *path)
{
    cleanup_free char *copy = xstrdup(path);
    struct strbuf plain = {0};
    char *at = copy;
    for (char *name; (name = strsep(&at, "/"));)
        if (*name && strcmp(name, ".") != 0)
            strbuf_add_format(&plain, "%s%s", plain.length ? "/" : "", name);
    return strbuf_steal(&plain);
}

static int list(struct walk *walk, const struct scope *scope, const char *wanted,
                struct error **error)
{
    cleanup_free char *path = plain_path(wanted);
    const struct state *state = policy_find(scope->policy, path, strlen(path));
    if (!state)
        return error_set(error, 0, "'%s' has a '..'; write the path from the scope's root", wanted);
    cleanup_fd int object_fd = resolve_in(&walk->source, walk->source.root_fd, path, O_PATH);
    struct stat attributes;
    if (object_fd < 0)
        return error_set(error, -object_fd, "scope %s has no /%s", scope->name, path);
    if (fstat(object_fd, &attributes) < 0)
        return error_set(error, errno, "cannot look at /%s", path);
    if (S_ISDIR(attributes.st_mode))
        walk_directory(walk, resolve_in(&walk->source, object_fd, "", O_RDONLY | O_DIRECTORY), path,
                       state);
    else
        print_entry(state, path, false);
    return walk->failed ? error_set(error, 0, "not everything could be listed") : 0;
}

static int list_scope(const struct scope *scope, const struct ls_options *options, const char *path,
                      struct error **error)
{
    struct walk walk = {
        .source = {.submounts = scope->submounts},
        .recursive = options->recursive,
    };
    cleanup_fd int source_fd = mount_point_open_source(scope, error);
    if (source_fd < 0)
        return -1;
    walk.source.root_fd = source_fd;
    return list(&walk, scope, path, error);
}

int command_ls(int argc, char **argv)
{
    struct ls_options options = {0};
    cleanup_error struct error *error = NULL;
    int operands = options_parse(&ls_command, argc, argv, take_option, &options, &error);
    if (operands < 0)
        return command_usage(&ls_command, error->message);
    if (operands < 1 || operands > 2)
        return command_usage(&ls_command, "give a SCOPE and at most one PATH");
    struct config *config = command_load(&ls_command, options.config);
    if (!config)
        return STATUS_FAILED;
    const struct scope *scope = config_scope(config, argv[1], &error);
    int status = STATUS_OK;
    if (!scope || list_scope(scope, &options, operands == 2 ? argv[2] : "", &error) < 0)
        status = command_fail(&ls_command, error);
    config_free(config);
    return status;
}
