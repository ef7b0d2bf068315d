#include "job_request.h"

#include "scopefs/mem.h"

static void add_word(struct strbuf *bytes, const char *word)
{
    strbuf_add(bytes, word, strlen(word) + 1);
}

void job_request_pack(const struct job_request *request, struct strbuf *bytes)
{
    add_word(bytes, request->command);
    add_word(bytes, request->workdir);
    add_word(bytes, request->timeout);
    add_word(bytes, request->shell);
    for (const char **entry = request->environment; entry && *entry; entry++)
        add_word(bytes, *entry);
    add_word(bytes, "");
    strbuf_add(bytes, request->input, request->input_size);
}

struct words {
    const char *next, *end;
};

static const char *take_word(struct words *words)
{
    const char *word = words->next;
    const char *nul = word ? memchr(word, '\0', (size_t)(words->end - word)) : NULL;
    words->next = nul ? nul + 1 : NULL;
    return nul ? word : NULL;
}

bool job_request_unpack(struct job_request *request, const char *bytes, size_t size)
{
    struct words words = {bytes, bytes + size};
    size_t count = 0;
    *request = (struct job_request){
        .command = take_word(&words),
        .workdir = take_word(&words),
        .timeout = take_word(&words),
        .shell = take_word(&words),
    };
    for (const char *word = take_word(&words); word && *word; word = take_word(&words)) {
        request->environment =
            xreallocarray(request->environment, count + 2, sizeof(*request->environment));
        request->environment[count++] = word;
        request->environment[count] = NULL;
    }
    request->input = words.next;
    request->input_size = words.next ? (size_t)(words.end - words.next) : 0;
    if (words.next)
        return true;
    free(steal_pointer(request->environment));
    return false;
}
