/* Requests of the server to a client, and the answers. */
#ifndef SCOPEFS_MCP_QUESTIONS_H
#define SCOPEFS_MCP_QUESTIONS_H

#include "call.h"

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_NOBODY };

/* Has the user of the call's client asked whether something may be done, and waits for the answer.
 * ANSWER_NOBODY: the client cannot ask, or the call was cancelled. */
enum answer question_ask(struct call *call, const char *text);

/* A response came in; one to no question is dropped. */
void questions_answer(struct session *session, json_t *id, json_t *message);

#endif
