/*
 * A policy as bytes, so that one process can read the configuration and another, which may not read
 * anything, enforce it. Both run the same program on the same machine: the form is not for storage.
 */
#ifndef SCOPEFS_POLICY_PACK_H
#define SCOPEFS_POLICY_PACK_H

#include "scopefs/policy.h"
#include "scopefs/strbuf.h"

/* Adds the policy, with those of the scopes above, to the buffer. */
void policy_pack(const struct policy *policy, struct strbuf *buffer);

struct policy_copy;

/* A policy that decides every path as the packed one did. NULL when the bytes are no packed policy;
 * memory exhaustion ends the process (see mem.h). The caller owns it. */
struct policy_copy *policy_unpack(const char *bytes, size_t size);

const struct policy *policy_copy_policy(const struct policy_copy *copy);
void policy_copy_free(struct policy_copy *copy);

#endif
