/* Starting scopefs-network for a sandbox. */
#ifndef SCOPEFS_EXEC_NETWORK_START_H
#define SCOPEFS_EXEC_NETWORK_START_H

#include "identity.h"
#include "plan.h"
#include "scopefs/error.h"

/* Both descriptors are the caller's, and close-on-exec. */
struct network_ends {
    int inside; /* for the forwarder, which scopefs-stage2 leaves behind */
    int report; /* where messages of network_report.h come */
};

/* The child ends when nobody has the end for the forwarder open any more. 0, or -1 with *error set.
 */
int network_start(struct network_ends *ends, const struct sandbox_plan *plan,
                  const struct identity *identity, struct error **error);

#endif
