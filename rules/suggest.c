#include "suggest.h"

#include "scopefs/word_distance.h"

#include <stdint.h>
#include <string.h>

#define NEAR 2

void suggest_word(struct strbuf *text, const char *wrong, const char *const *words, size_t count)
{
    size_t best = 0, nearest = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t found = word_distance(wrong, words[i]);
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
