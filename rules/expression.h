/* The PCRE2 text of a component, and matching it within limits from any thread. */
#ifndef RULES_EXPRESSION_H
#define RULES_EXPRESSION_H

#include "component.h"

/* NULL with a message from PCRE2 when it cannot be compiled. */
pcre2_code *expression_compile(const struct glob_component *glob, bool ignore_case, char *message,
                               size_t size);

enum match_result expression_match(const pcre2_code *code, const char *name, size_t length);

#endif
