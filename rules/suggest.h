/* What could have been meant: for messages about unknown words. */
#ifndef RULES_SUGGEST_H
#define RULES_SUGGEST_H

#include "scopefs/strbuf.h"

/* "did you mean 'X'?" for the nearest of the words, or "there are: X, Y" when none is near. */
void suggest_word(struct strbuf *text, const char *wrong, const char *const *words, size_t count);

#endif
