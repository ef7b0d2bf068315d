#include "walk.h"

#include "scopefs/fd.h"
#include "scopefs/mem.h"
#include "workspace.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper trees are cut there; every level costs a descriptor. */
#define MAX_DEPTH 256

struct walker {
    struct call *call;
    walk_visitor *visit;
    void *context;
    struct strbuf path;
    bool has_ended;
};

struct names {
    struct name {
        char *text;
        enum walk_kind kind;
    } * items;
    size_t count, room;
};

static enum walk_kind kind_of(int directory, const struct dirent *found)
{
    struct stat status;
    if (found->d_type == DT_REG)
        return WALK_FILE;
    if (found->d_type == DT_DIR)
        return WALK_DIRECTORY;
    if (found->d_type != DT_UNKNOWN ||
        fstatat(directory, found->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return WALK_OTHER;
    return S_ISREG(status.st_mode)   ? WALK_FILE
           : S_ISDIR(status.st_mode) ? WALK_DIRECTORY
                                     : WALK_OTHER;
}

static int by_text(const void *one, const void *other)
{
    return strcmp(((const struct name *)one)->text, ((const struct name *)other)->text);
}

static void read_names(DIR *directory, struct names *names)
{
    for (struct dirent *found; (found = readdir(directory));) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        if (names->count == names->room) {
            names->room = names->room ? 2 * names->room : 32;
            names->items = xreallocarray(names->items, names->room, sizeof(*names->items));
        }
        names->items[names->count++] =
            (struct name){xstrdup(found->d_name), kind_of(dirfd(directory), found)};
    }
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), by_text);
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].text);
    free(names->items);
}

static void walk_directory(struct walker *walker, int fd, size_t depth);

static void enter(struct walker *walker, int above, const char *name, size_t depth)
{
    int fd = depth < MAX_DEPTH
                 ? openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    if (fd >= 0)
        walk_directory(walker, fd, depth);
}

static void visit_names(struct walker *walker, int fd, const struct names *names, size_t depth)
{
    size_t length = walker->path.length;
    for (size_t i = 0; i < names->count && !walker->has_ended; i++) {
        const struct name *name = &names->items[i];
        if (length)
            strbuf_add(&walker->path, "/", 1);
        strbuf_add_text(&walker->path, name->text);
        const struct walk_entry entry = {walker->path.bytes, name->text, name->kind, depth};
        enum walk_answer answer = walker->visit(walker->context, &entry);
        walker->has_ended = answer == WALK_END;
        if (answer == WALK_ON && name->kind == WALK_DIRECTORY)
            enter(walker, fd, name->text, depth + 1);
        walker->path.length = length;
        walker->path.bytes[length] = '\0';
    }
}

/* Owns the descriptor. */
static void walk_directory(struct walker *walker, int fd, size_t depth)
{
    __attribute__((cleanup(free_names))) struct names names = {0};
    DIR *directory = fdopendir(fd);
    if (!directory)
        return;
    walker->has_ended = walker->has_ended || call_is_cancelled(walker->call);
    read_names(directory, &names);
    visit_names(walker, dirfd(directory), &names, depth);
    closedir(directory);
}

int walk(struct call *call, const char *start, walk_visitor *visit, void *context)
{
    struct walker walker = {.call = call, .visit = visit, .context = context};
    int fd = workspace_need(call, start, O_RDONLY | O_DIRECTORY, "view");
    if (fd < 0)
        return -1;
    strbuf_add(&walker.path, "", 0);
    walk_directory(&walker, fd, 0);
    strbuf_free(&walker.path);
    return call_is_cancelled(call) ? -1 : 0;
}
