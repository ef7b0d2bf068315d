/*
 * What scopefs-exec says to the process that keeps a session, and hears from it: messages of one
 * size over a SOCK_SEQPACKET socket, the same on both ways. Nothing in them comes from inside the
 * sandbox but an exit status.
 */
#ifndef SCOPEFS_EXEC_SESSION_PROTOCOL_H
#define SCOPEFS_EXEC_SESSION_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Changes with the layout: a session may outlive the installation it was started from. */
#define SESSION_PROTOCOL 0x73730001U

enum session_message_kind {
    SESSION_NOTHING,
    /* To the session. */
    SESSION_CALL,   /* with the descriptors of enum session_descriptor */
    SESSION_ATTACH, /* the caller wants the terminal of an interactive session */
    SESSION_GO,     /* after SESSION_STARTED: the caller is ready for it */
    SESSION_SIGNAL, /* `number`, for the call that was made on this connection */
    SESSION_LOOK,   /* answered by SESSION_STATE */
    SESSION_CLOSE,  /* answered by the end of the connection when the session is gone */
    /* From it. */
    SESSION_SAYS,     /* `text` is for people, as it is; more follows */
    SESSION_STARTED,  /* a followed call has its turn, and waits for SESSION_GO; or comes with the
                       * terminal and a memory file of what it has printed */
    SESSION_FINISHED, /* with the exit status in `number` */
    SESSION_AGAIN,    /* the session has ended before the call had its turn; `text` may say why */
    SESSION_REFUSED,  /* `text` says why */
    SESSION_STATE,
};

/* How much an interactive session keeps of what it prints while nobody looks, in bytes. */
#define SESSION_PAST 65536U

enum session_descriptor {
    SESSION_TEXT, /* a memory file with what the shell shall do */
    SESSION_INPUT,
    SESSION_OUTPUT,
    SESSION_ERRORS,
    SESSION_DESCRIPTORS,
};

/* Flags of SESSION_FINISHED and SESSION_STATE. */
enum {
    SESSION_IS_NEW = 1,        /* it is the session's first call */
    SESSION_HAS_TIMED_OUT = 2, /* the call's time was over */
    SESSION_HAS_ENDED = 4,     /* and with it the session */
    SESSION_IS_BUSY = 8,       /* a call runs */
};

struct session_call {
    uint64_t settings; /* what the session must have been started with; see session_settings.h */
    uint64_t config_digest; /* likewise, where the session has a view of its own */
    uint64_t timeout_ms;    /* from its arrival on; 0: none */
    uint64_t kill_after_ms;
    uint64_t is_followed; /* what it uses up, and what the view refuses to it, is to be known */
};

/* Where a call runs, by which what the view refuses to it is told from what it refuses to others.
 */
struct session_place {
    uint32_t view_major, view_minor;
    uint64_t pid_namespace; /* its inode */
};

struct session_result {
    uint64_t duration_us, cpu_us;
    uint64_t peak_memory; /* bytes, of the session so far; 0: not known */
    uint64_t out_of_memory;
};

struct session_state {
    int64_t started, used; /* seconds of the epoch */
    uint64_t calls;        /* that have had their turn */
    uint64_t waiting;
    int64_t process; /* the one that keeps it */
};

struct session_message {
    uint32_t protocol;
    uint32_t kind;
    int32_t number;
    uint32_t flags;
    union {
        struct session_call call;
        struct session_place place;
        struct session_result result;
        struct session_state state;
    };
    char text[2048]; /* NUL-terminated */
};

/* Sends it with `count` descriptors. 0, or -1 with errno. */
int session_send(int socket, struct session_message *message, const int *fds, size_t count);

/* Receives one. Descriptors that come with it are the caller's; those that are missing become -1.
 * `count` 0 takes none. False with errno when there is none or it is no such message: 0 where the
 * other side is gone. */
bool session_receive(int socket, struct session_message *message, int *fds, size_t count);

#endif
