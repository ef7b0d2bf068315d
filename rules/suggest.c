#include "suggest.h"

#include <stdint.h>
#include <string.h>

#define MAX_COMPARED 64
#define NEAR         2

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* How many bytes must be put in, taken out or replaced (Levenshtein); long words are never near. */
static size_t distance(const char *one, const char *other)
{
    size_t rows = strlen(one), columns = strlen(other);
    size_t above[MAX_COMPARED + 1];
    if (rows > MAX_COMPARED || columns > MAX_COMPARED)
        return MAX_COMPARED;
    for (size_t c = 0; c <= columns; c++)
        above[c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t diagonal = above[0];
        above[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t replaced = diagonal + (one[r - 1] != other[c - 1]);
            diagonal = above[c];
            above[c] = smaller(replaced, smaller(above[c], above[c - 1]) + 1);
        }
    }
    return above[columns];
}

void suggest_word(struct strbuf *text, const char *wrong, const char *const *words, size_t count)
{
    size_t best = 0, nearest = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t found = distance(wrong, words[i]);
        if (found < nearest) {
            nearest = found;
            best = i;
        }
    }
    if (nearest <= NEAR && nearest < strlen(wrong)) {
        strbuf_add_format(text, "did you mean '%s'?", words[best]);
        return;
    }
    if (count == 0)
        strbuf_add_text(text, "there are none");
    for (size_t i = 0; i < count; i++)
        strbuf_add_format(text, "%s%s", i ? ", " : "there are: ", words[i]);
}
