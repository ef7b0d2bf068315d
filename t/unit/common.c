/* String buffers, errors and option tables. */
#include "../tap.h"

#include "scopefs/error.h"
#include "scopefs/mem.h"
#include "scopefs/options.h"
#include "scopefs/strbuf.h"

#include <errno.h>

static void is_json(const char *bytes, size_t size, const char *expected, const char *about)
{
    cleanup_strbuf struct strbuf buffer = {0};
    strbuf_add_json(&buffer, bytes, size);
    is_string(buffer.bytes, expected, "JSON: %s", about);
}

static void is_quoted(const char *bytes, const char *expected, const char *about)
{
    cleanup_strbuf struct strbuf buffer = {0};
    strbuf_add_quoted(&buffer, bytes, strlen(bytes));
    is_string(buffer.bytes, expected, "quoted: %s", about);
    strbuf_unquote(buffer.bytes);
    is_string(buffer.bytes, bytes, "and back: %s", about);
}

static void check_json(void)
{
    is_json("", 0, "\"\"", "nothing");
    is_json("a b", 3, "\"a b\"", "plain text");
    is_json("\"\\/", 3, "\"\\\"\\\\/\"", "quotes and backslashes");
    is_json("\n\0\x7f", 3, "\"\\u000a\\u0000\\u007f\"", "control characters and NUL");
    is_json("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"", "UTF-8 stays");
    is_json("a\xff", 2, "\"a\\udcff\"", "a stray byte is a lone surrogate");
    is_json("\xc3", 1, "\"\\udcc3\"", "so is a cut sequence");
    is_json("\xed\xa0\x80", 3, "\"\\udced\\udca0\\udc80\"", "and an encoded surrogate");
    is_json("\xc0\x80", 2, "\"\\udcc0\\udc80\"", "and an overlong form");
    is_json("\xf4\x90\x80\x80", 4, "\"\\udcf4\\udc90\\udc80\\udc80\"",
            "and what is beyond Unicode");
}

static void check_quoted(void)
{
    is_quoted("", "", "nothing");
    is_quoted("a\xc3\xa4 b", "a\xc3\xa4 b", "printable text stays");
    is_quoted("a\nb\033[1m", "a\\012b\\033[1m", "control characters become octal");
    is_quoted("a\\b", "a\\\\b", "a backslash is doubled");
    is_quoted("\xff", "\\377", "a stray byte becomes octal");
    is_quoted("\xc2\x9b", "\\302\\233", "so does a control sequence introducer in UTF-8");
}

static void check_buffer(void)
{
    struct strbuf buffer = {0};
    strbuf_add(&buffer, "", 0);
    is_string(buffer.bytes, "", "an added nothing is an empty text");
    for (int i = 0; i < 1000; i++)
        strbuf_add_format(&buffer, "%d,", i % 10);
    is_int(buffer.length, 2000, "a buffer grows");
    is_string(buffer.bytes + 1990, "5,6,7,8,9,", "and keeps its contents");
    strbuf_clear(&buffer);
    is_string(buffer.bytes, "", "it can be emptied");
    cleanup_free char *stolen = strbuf_steal(&buffer);
    ok(stolen[0] == '\0' && !buffer.bytes, "and given away");
    cleanup_free char *nothing = strbuf_steal(&buffer);
    is_string(nothing, "", "an unused one gives an empty text");
}

static void check_errors(void)
{
    cleanup_error struct error *error = NULL, *plain = NULL;
    is_int(error_set(&error, ENOENT, "cannot open %s", "x"), -1, "error_set returns -1");
    is_string(error->message, "cannot open x: No such file or directory", "with the errno's text");
    is_int(error->number, ENOENT, "and its number");
    error_wrap(&error, "mount %d", 7);
    is_string(error->message, "mount 7: cannot open x: No such file or directory",
              "context in front");
    error_set(&plain, 0, "100%% wrong");
    is_string(plain->message, "100% wrong", "without a number there is no other text");
    is_int(error_set(NULL, EIO, "x"), -1, "nobody needs to want the text");
}

/* --- options --- */

static const struct option_row rows[] = {
    {"config", 'c', "FILE", "read FILE"},
    {"verbose", 'v', NULL, "say more"},
    {"rule", 0, "LEVEL=PATTERN", "add a rule"},
    {0},
};

static const struct command plain = {"prog", "[options] X...", "Does things.", rows, false};
static const struct command stops = {"prog", "[options] X...", "Does things.", rows, true};

static int note_option(void *context, const struct option_row *row, const char *argument,
                       struct error **error)
{
    strbuf_add_format(context, "%s%s%s;", row->name, argument ? "=" : "", argument ? argument : "");
    if (argument && strcmp(argument, "bad") == 0)
        return error_set(error, 0, "no");
    return 0;
}

/* "OPTION;... N: OPERAND ..." or the error. `line` has blanks between the words. */
static char *parse(const struct command *command, const char *line)
{
    cleanup_free char *words = xstrdup(line);
    char *argv[16] = {NULL}, *save = NULL;
    int argc = 0;
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    struct strbuf said = {0};
    cleanup_error struct error *error = NULL;
    strbuf_add_text(&said, "");
    int operands = options_parse(command, argc, argv, note_option, &said, &error);
    if (operands < 0) {
        strbuf_clear(&said);
        strbuf_add_text(&said, error->message);
        return strbuf_steal(&said);
    }
    strbuf_add_format(&said, " %d:", operands);
    for (int i = 0; i < operands; i++)
        strbuf_add_format(&said, " %s", argv[1 + i]);
    return strbuf_steal(&said);
}

static const struct {
    const struct command *command;
    const char *line, *expected, *about;
} parses[] = {
    {&plain, "prog", " 0:", "nothing"},
    {&plain, "prog a b", " 2: a b", "operands"},
    {&plain, "prog -c x a", "config=x; 1: a", "a short option"},
    {&plain, "prog -cx -v", "config=x;verbose; 0:", "its argument glued on"},
    {&plain, "prog -vcx", "verbose;config=x; 0:", "bundled"},
    {&plain, "prog --config=x --config y", "config=x;config=y; 0:", "long options, repeated"},
    {&plain, "prog --rule none=a=b", "rule=none=a=b; 0:", "an argument with '='"},
    {&plain, "prog a -v b", "verbose; 2: a b", "options behind operands"},
    {&plain, "prog -- -v", " 1: -v", "-- ends the options"},
    {&stops, "prog -v a -v -- -c", "verbose; 4: a -v -- -c",
     "a table may stop at the first operand"},
    {&plain, "prog -x", "unknown option '-x'", "an unknown short option"},
    {&plain, "prog --nope", "unknown or ambiguous option '--nope'", "an unknown long option"},
    {&plain, "prog -c", "option '-c' needs an argument", "a missing argument"},
    {&plain, "prog --config", "option '--config' needs an argument", "of a long option"},
    {&plain, "prog -c bad", "no", "the handler may refuse"},
};

static void check_options(void)
{
    for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        cleanup_free char *said = parse(parses[i].command, parses[i].line);
        is_string(said, parses[i].expected, "options: %s", parses[i].about);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    options_print_help(&plain, stream);
    fclose(stream);
    ok(strstr(text, "Usage: prog [options] X...") && strstr(text, "-c, --config=FILE") &&
           strstr(text, "    --rule=LEVEL=PATTERN") && strstr(text, "say more"),
       "the help is made from the same table");
    free(text);
}

int main(void)
{
    check_json();
    check_quoted();
    check_buffer();
    check_errors();
    check_options();
    return done_testing();
}
