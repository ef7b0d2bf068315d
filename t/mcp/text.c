/* The texts of the tools: differences that turn the one text into the other, encodings that come
 * back as they were, and globs, each against something simple. */
#include "../../mcp/text.h"
#include "../../mcp/diff.h"
#include "../tap.h"
#include "../unit/random.h"
#include "scopefs/mem.h"
#include "scopefs/strbuf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIFFERENCES = 3000, ENCODINGS = 3000 };

/* Appends the next line of a text; where it ends. */
static const char *take_line(const char *at, struct strbuf *line)
{
    const char *newline = strchr(at, '\n');
    const char *end = newline ? newline + 1 : at + strlen(at);
    strbuf_add(line, at, (size_t)(end - at));
    return end;
}

static const char *copy_lines(const char *at, size_t count, struct strbuf *result)
{
    while (count-- && *at)
        at = take_line(at, result);
    return at;
}

/* One line of a hunk, behind one that began with `sign`. False when it does not fit the old text.
 */
static bool apply_line(const char *line, size_t length, char sign, const char **old,
                       struct strbuf *result)
{
    if (line[0] == '\\' && sign == '-')
        return true;
    if (line[0] == '\\') {
        /* The line before has no newline after all. */
        if (result->length && result->bytes[result->length - 1] == '\n')
            result->bytes[--result->length] = '\0';
        return true;
    }
    if (line[0] == '+') {
        strbuf_add(result, line + 1, length - 1);
        return true;
    }
    struct strbuf taken = {0};
    *old = take_line(*old, &taken);
    size_t compared = taken.length < length - 1 ? taken.length : length - 1;
    bool fits = memcmp(taken.bytes ? taken.bytes : "", line + 1, compared) == 0;
    if (line[0] == ' ')
        strbuf_add(result, taken.bytes, taken.length);
    strbuf_free(&taken);
    return fits;
}

/* A small patch(1). */
static bool apply(const char *diff, const char *old, struct strbuf *result)
{
    size_t done = 0, start, count;
    bool fits = true;
    char sign = ' ';
    while (*diff && fits) {
        size_t length = strcspn(diff, "\n") + 1;
        if (sscanf(diff, "@@ -%zu,%zu", &start, &count) == 2) {
            size_t before = start - (count > 0 ? 1 : 0);
            old = copy_lines(old, before - done, result);
            done = before + count;
        } else if (strncmp(diff, "---", 3) != 0 && strncmp(diff, "+++", 3) != 0) {
            fits = apply_line(diff, length, sign, &old, result);
            sign = diff[0];
        }
        diff += length;
    }
    strbuf_add_text(result, old);
    return fits;
}

/* Lines of few kinds, so that many are the same. */
static void make_text(struct strbuf *text)
{
    unsigned lines = random_below(30);
    for (unsigned i = 0; i < lines; i++)
        strbuf_add_format(text, "%c\n", 'a' + (int)random_below(4));
    if (random_below(4) == 0)
        strbuf_add_text(text, "end");
    strbuf_add(text, "", 0);
}

static void change_text(const struct strbuf *text, struct strbuf *changed)
{
    for (const char *at = text->bytes; *at;) {
        unsigned what = random_below(12);
        if (what == 0)
            strbuf_add_text(changed, "new\n");
        struct strbuf line = {0};
        at = take_line(at, &line);
        if (what != 1)
            strbuf_add(changed, line.bytes, line.length);
        strbuf_free(&line);
    }
    strbuf_add(changed, "", 0);
}

static void differences(void)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < DIFFERENCES; i++) {
        cleanup_strbuf struct strbuf old = {0}, changed = {0}, diff = {0}, result = {0};
        make_text(&old);
        if (random_below(5))
            change_text(&old, &changed);
        else
            make_text(&changed);
        diff_add(&diff, "name", &old, &changed);
        strbuf_add(&diff, "", 0);
        bool fits = apply(diff.bytes, old.bytes, &result);
        strbuf_add(&result, "", 0);
        if (fits && strcmp(result.bytes, changed.bytes) == 0)
            continue;
        if (wrong++ == 0)
            diag("old:\n%s\nchanged:\n%s\ndiff:\n%s\nresult:\n%s", old.bytes, changed.bytes,
                 diff.bytes, result.bytes);
    }
    ok(wrong == 0, "each of %d differences turns the old text into the new one", DIFFERENCES);
}

static void long_difference(void)
{
    cleanup_strbuf struct strbuf old = {0}, changed = {0}, diff = {0}, result = {0};
    for (int i = 0; i < 5000; i++) {
        strbuf_add_format(&old, "old %d\n", i);
        strbuf_add_format(&changed, "new %d\n", i);
    }
    diff_add(&diff, "name", &old, &changed);
    ok(apply(diff.bytes, old.bytes, &result) && strcmp(result.bytes, changed.bytes) == 0,
       "texts that share nothing are replaced whole");
}

static void encodings(void)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < ENCODINGS; i++) {
        cleanup_strbuf struct strbuf bytes = {0}, text = {0}, again = {0};
        static const char *const marks[] = {"", "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"};
        strbuf_add_text(&bytes, marks[random_below(4)]);
        for (unsigned left = random_below(20); left; left--) {
            char byte = (char)(random_below(3) ? random_below(128) : random_below(256));
            strbuf_add(&bytes, &byte, 1);
        }
        strbuf_add(&bytes, "", 0);
        enum encoding encoding = text_encoding(bytes.bytes, bytes.length);
        if (encoding == ENCODING_BINARY)
            continue;
        text_decode(encoding, bytes.bytes, bytes.length, &text);
        strbuf_add(&text, "", 0);
        bool same = text_is_utf8(text.bytes, text.length) &&
                    text_encode(encoding, text.bytes, text.length, &again) &&
                    again.length == bytes.length &&
                    memcmp(again.bytes ? again.bytes : "", bytes.bytes, bytes.length) == 0;
        wrong += !same;
    }
    ok(wrong == 0, "each of %d texts comes back as it was", ENCODINGS);
}

static void mended(void)
{
    cleanup_strbuf struct strbuf text = {0};
    text_mend("a\xff\0\xc3\xbc\xed\xa0\x80", 8, &text);
    ok(text_is_utf8(text.bytes, text.length) && strstr(text.bytes, "\xc3\xbc"),
       "what is no UTF-8 is mended, and the rest stays");
    ok(text_cut("a\xc3\xbc", 2) == 1, "a text is cut between characters");
}

int main(void)
{
    diag("seed %lu", random_start((unsigned long)time(NULL)));
    differences();
    long_difference();
    encodings();
    mended();
    return done_testing();
}
