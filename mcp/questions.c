#include "questions.h"

#include "scopefs/mem.h"

#include <string.h>

struct question {
    struct question *next;
    char *id;
    json_t *answer; /* the message, or NULL */
};

static void add(struct session *session, struct question *question)
{
    pthread_mutex_lock(&session->server->lock);
    question->id = xasprintf("scopefs-%llu", ++session->last_question);
    question->next = session->questions;
    session->questions = question;
    pthread_mutex_unlock(&session->server->lock);
}

/* Waits, and takes it off the list. */
static void wait_for(struct call *call, struct question *question)
{
    struct session *session = call->address.session;
    struct server *server = session->server;
    pthread_mutex_lock(&server->lock);
    while (!question->answer && !call->is_cancelled)
        pthread_cond_wait(&server->changed, &server->lock);
    struct question **place = &session->questions;
    while (*place != question)
        place = &(*place)->next;
    *place = question->next;
    pthread_mutex_unlock(&server->lock);
}

static json_t *elicitation(const char *text)
{
    return json_pack("{s:s, s:{s:o, s:{s:s, s:{s:{s:s, s:s, s:b}}, s:[s]}}}", "method",
                     "elicitation/create", "params", "message", json_name(text, strlen(text)),
                     "requestedSchema", "type", "object", "properties", "allow", "type", "boolean",
                     "title", "Allow it", "default", 0, "required", "allow");
}

static json_t *request(const char *id, const char *text)
{
    json_t *message = json_pack("{s:s, s:s}", "jsonrpc", "2.0", "id", id);
    json_t *question = elicitation(text);
    json_object_update(message, question);
    json_decref(question);
    return message;
}

/* Accepting the form is not enough: what it asks must be said. */
static bool is_yes(const json_t *result)
{
    const char *action = json_string_value(json_object_get(result, "action"));
    return action && strcmp(action, "accept") == 0 &&
           json_is_true(json_object_get(json_object_get(result, "content"), "allow"));
}

static void withdraw(struct call *call, const char *id)
{
    session_send(call->address.session, call->address.exchange,
                 json_pack("{s:s, s:s, s:{s:s}}", "jsonrpc", "2.0", "method",
                           "notifications/cancelled", "params", "requestId", id));
}

/* In a stateless revision the call is given up, and made again by the client with the answer. */
static enum answer ask_by_result(struct call *call, const char *text)
{
    json_t *answer = json_object_get(call->answers, "allow");
    if (answer)
        return is_yes(answer) ? ANSWER_YES : ANSWER_NO;
    json_decref(call->questions);
    call->questions = json_pack("{s:o}", "allow", elicitation(text));
    return ANSWER_NOBODY;
}

enum answer question_ask(struct call *call, const char *text)
{
    struct question question = {0};
    if (!call->address.can_be_asked)
        return ANSWER_NOBODY;
    if (call_has_feature(call, FEATURE_STATELESS))
        return ask_by_result(call, text);
    add(call->address.session, &question);
    session_send(call->address.session, call->address.exchange, request(question.id, text));
    wait_for(call, &question);
    enum answer answer = ANSWER_NOBODY;
    if (question.answer)
        answer = is_yes(json_object_get(question.answer, "result")) ? ANSWER_YES : ANSWER_NO;
    else
        withdraw(call, question.id);
    json_decref(question.answer);
    free(question.id);
    return answer;
}

void questions_answer(struct session *session, json_t *id, json_t *message)
{
    const char *text = json_string_value(id);
    pthread_mutex_lock(&session->server->lock);
    for (struct question *question = session->questions; text && question;
         question = question->next)
        if (!question->answer && strcmp(question->id, text) == 0)
            question->answer = json_deep_copy(message);
    pthread_cond_broadcast(&session->server->changed);
    pthread_mutex_unlock(&session->server->lock);
}
