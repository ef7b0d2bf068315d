#include "scopefs/mount_table.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Turns \ooo back into bytes, in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
            from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static char *next_field(char **at)
{
    char *field = strsep(at, " ");
    if (field)
        unescape(field);
    return field;
}

/* The number behind "KEY=" in the options, or -1 as an id. */
static unsigned id_of(const char *options, const char *key)
{
    const char *found = options ? strstr(options, key) : NULL;
    return found ? (unsigned)strtoul(found + strlen(key), NULL, 10) : (unsigned)-1;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS */
static bool parse_row(char *line, struct mount_row *row)
{
    char *at = line;
    const char *id = next_field(&at);
    next_field(&at);
    const char *device = next_field(&at);
    const char *root = next_field(&at);
    const char *point = next_field(&at);
    const char *field;
    do
        field = next_field(&at);
    while (field && strcmp(field, "-") != 0);
    const char *type = next_field(&at), *source = next_field(&at), *options = next_field(&at);
    if (!source || !device || sscanf(device, "%u:%u", &row->major, &row->minor) != 2)
        return false;
    row->id = strtoull(id, NULL, 10);
    row->root = xstrdup(root);
    row->point = xstrdup(point);
    row->type = xstrdup(type);
    row->source = xstrdup(source);
    row->options = xstrdup(options ? options : "");
    row->user = id_of(options, "user_id=");
    row->group = id_of(options, "group_id=");
    return true;
}

int mount_table_read_process(struct mount_table *table, const char *process, struct error **error)
{
    cleanup_free char *path = xasprintf("/proc/%s/mountinfo", process);
    *table = (struct mount_table){0};
    FILE *stream = fopen(path, "re");
    if (!stream)
        return error_set(error, errno, "cannot read %s; mount /proc", path);
    cleanup_free char *line = NULL;
    size_t room = 0;
    for (ssize_t length; (length = getline(&line, &room, stream)) > 0;) {
        struct mount_row row;
        line[length - 1] = '\0';
        if (!parse_row(line, &row))
            continue;
        table->rows = xreallocarray(table->rows, table->count + 1, sizeof(row));
        table->rows[table->count++] = row;
    }
    fclose(stream);
    return 0;
}

int mount_table_read(struct mount_table *table, struct error **error)
{
    return mount_table_read_process(table, "self", error);
}

void mount_table_free(struct mount_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].root);
        free(table->rows[i].point);
        free(table->rows[i].type);
        free(table->rows[i].source);
        free(table->rows[i].options);
    }
    free(table->rows);
    *table = (struct mount_table){0};
}

const struct mount_row *mount_table_at(const struct mount_table *table, const char *point)
{
    for (size_t i = table->count; i-- > 0;)
        if (strcmp(table->rows[i].point, point) == 0)
            return &table->rows[i];
    return NULL;
}

bool mount_row_is_view(const struct mount_row *row)
{
    return row && strcmp(row->type, VIEW_TYPE) == 0;
}

static const struct mount_row *find_id(const struct mount_table *table, uint64_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].id == id)
            return &table->rows[i];
    return NULL;
}

char *mount_table_place(const struct mount_table *table, int fd, struct error **error)
{
    struct statx found;
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) < 0) {
        error_set(error, errno, "cannot find out where a directory is mounted");
        return NULL;
    }
    path[length] = '\0';
    const struct mount_row *row = find_id(table, found.stx_mnt_id);
    if (!row) {
        error_set(error, 0, "%s is on a mount that /proc/self/mountinfo does not show", path);
        return NULL;
    }
    size_t point = strcmp(row->point, "/") == 0 ? 0 : strlen(row->point);
    const char *below = strlen(path) >= point ? path + point : "";
    const char *root = strcmp(row->root, "/") == 0 ? "" : row->root;
    return xasprintf("%u:%u%s%s", row->major, row->minor, root, strcmp(below, "/") ? below : "");
}
