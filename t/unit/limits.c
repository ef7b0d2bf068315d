/*
 * Names that tell apart ever more kinds of directories: at the limit new kinds are hidden, what is
 * known stays, and the log says so once.
 */
#include "../tap.h"
#include "sandbox.h"

#include "scopefs/log.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <sys/mman.h>
#include <unistd.h>

#define LETTERS 17 /* 2^17 sets of letters, and 100,000 states at most */

static struct config *load(const char *tail)
{
    cleanup_strbuf struct strbuf text = {0};
    strbuf_add_text(&text, "[scope s]\nsource = /s\ndefault = write\n[rules s]\n");
    for (int i = 0; i < LETTERS; i++)
        strbuf_add_format(&text, "read = *%c*/**/x%c%s\n", 'a' + i, 'a' + i, tail);
    return must_load(text.bytes);
}

/* A name with the letters of the set; its level below the root. */
static const struct state *step_to(const struct state *root, unsigned set)
{
    char name[LETTERS + 1];
    size_t length = 0;
    for (unsigned i = 0; i < LETTERS; i++)
        if (set >> i & 1)
            name[length++] = (char)('a' + i);
    name[length++] = '-';
    return state_step(root, name, length);
}

static unsigned count_hidden(const struct state *root, unsigned sets)
{
    unsigned hidden = 0;
    for (unsigned set = 0; set < sets; set++)
        hidden += state_level(step_to(root, set)) == LEVEL_NONE;
    return hidden;
}

static unsigned count_lines(int fd)
{
    char text[8192];
    ssize_t length = pread(fd, text, sizeof(text), 0);
    unsigned lines = 0;
    for (ssize_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* `tail` is added to each pattern; `sets` of letters are tried. */
static void check(const char *tail, unsigned sets, const char *about)
{
    int log = memfd_create("log", MFD_CLOEXEC);
    log_to(log, LOG_LEVEL_INFO);
    struct config *config = load(tail);
    const struct state *root = policy_root(config->scopes[0]->policy);
    unsigned hidden = count_hidden(root, sets);
    ok(hidden > 0 && hidden < sets, "%s: kinds beyond the limit are hidden (%u of %u)", about,
       hidden, sets);
    is_int(count_hidden(root, sets), hidden, "%s: and stay so", about);
    is_int(count_hidden(root, 1000), 0, "%s: known ones stay what they were", about);
    const struct state *dead = step_to(root, sets - 1);
    ok(state_reach(dead) == LEVEL_NONE && state_may_hide(dead) && !state_is_way_through(dead) &&
           !state_verdict(dead).rule && state_step(dead, "x", 1) == dead,
       "%s: below a hidden one all is hidden", about);
    is_int(count_lines(log), 1, "%s: the log says it once", about);
    config_free(config);
    close(log);
}

int main(void)
{
    check("", 1u << LETTERS, "many states");
    check("{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4}", 1u << 14, "much memory");
    return done_testing();
}
