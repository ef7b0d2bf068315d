/*
 * Fuzz target: requests as the kernel sends them, from the raw buffer to what happens in the
 * source. An input is a list of records: an opcode, bits that say what is filled in, four choices,
 * a length, and so many bytes of the request's body. Node and handle numbers are chosen from those
 * that answers gave, besides numbers that nobody gave. No answer may hold what the rules hide, and
 * nothing may change that they protect.
 */
#include "fuzz.h"
#include "world.h"

#include "../../fuse/lock_queue.h"
#include "../../fuse/operations.h"
#include "../../fuse/session.h"

#include "scopefs/fd.h"
#include "scopefs/log.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NUMBERS = 16, BODY_LIMIT = 512, SLACK = 4096, REQUESTS_AT_MOST = 64 };

struct record {
    uint8_t opcode, fill, node, other_node, handle, length;
};

enum fill {
    FILL_NODE = 1,   /* a raw node number otherwise: the handle choice's low bits */
    FILL_HANDLE = 2, /* the body's own otherwise */
    FILL_OTHER = 4,
};

/* What answers gave. Guarded by the lock, because a waiting lock is answered from another thread.
 */
static struct {
    pthread_mutex_t lock;
    uint64_t nodes[NUMBERS], handles[NUMBERS];
    unsigned node_count, handle_count;
    uint32_t opcode; /* of the request that is being answered */
    bool betrayed;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void learn(uint64_t *numbers, unsigned *count, uint64_t number)
{
    if (number && *count < NUMBERS)
        numbers[(*count)++] = number;
    else if (number)
        numbers[number % NUMBERS] = number;
}

static void learn_from(uint32_t opcode, const void *body, size_t size)
{
    const struct fuse_entry_out *entry = body;
    bool is_entry = opcode == FUSE_LOOKUP || opcode == FUSE_MKNOD || opcode == FUSE_MKDIR ||
                    opcode == FUSE_SYMLINK || opcode == FUSE_LINK || opcode == FUSE_CREATE;
    if (is_entry && size >= sizeof(*entry))
        learn(known.nodes, &known.node_count, entry->nodeid);
    const struct fuse_open_out *open = body;
    if (opcode == FUSE_CREATE)
        open = size >= sizeof(*entry) + sizeof(*open) ? (const void *)(entry + 1) : NULL;
    else if ((opcode != FUSE_OPEN && opcode != FUSE_OPENDIR) || size < sizeof(*open))
        open = NULL;
    if (open)
        learn(known.handles, &known.handle_count, open->fh);
}

static ssize_t take_answer(int fd, struct iovec *iov, int count, void *userdata)
{
    unsigned char bytes[SLACK] = {0};
    size_t used = 0, total = 0;
    (void)fd, (void)userdata;
    pthread_mutex_lock(&known.lock);
    for (int i = 0; i < count; i++) {
        size_t part = iov[i].iov_len < sizeof(bytes) - used ? iov[i].iov_len : sizeof(bytes) - used;
        known.betrayed = known.betrayed || world_betrayed_by(iov[i].iov_base, iov[i].iov_len);
        memcpy(bytes + used, iov[i].iov_base, part);
        used += part;
        total += iov[i].iov_len;
    }
    struct fuse_out_header header;
    memcpy(&header, bytes, sizeof(header));
    if (header.unique && header.error == 0 && used >= sizeof(header))
        learn_from(known.opcode, bytes + sizeof(header), used - sizeof(header));
    pthread_mutex_unlock(&known.lock);
    return (ssize_t)total;
}

/* Requests are handed over, never read. */
static ssize_t read_nothing(int fd, void *buffer, size_t size, void *userdata)
{
    (void)fd, (void)buffer, (void)size, (void)userdata;
    return 0;
}

/* --- one request --- */

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Where the body has a handle number, or -1. */
static int handle_offset(uint32_t opcode)
{
    switch (opcode) {
    case FUSE_READ:
    case FUSE_READDIR:
    case FUSE_READDIRPLUS:
        return (int)offsetof(struct fuse_read_in, fh);
    case FUSE_WRITE:
        return (int)offsetof(struct fuse_write_in, fh);
    case FUSE_GETATTR:
        return (int)offsetof(struct fuse_getattr_in, fh);
    case FUSE_SETATTR:
        return (int)offsetof(struct fuse_setattr_in, fh);
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
    case FUSE_GETLK:
    case FUSE_SETLK:
    case FUSE_SETLKW:
    case FUSE_FALLOCATE:
    case FUSE_LSEEK:
    case FUSE_COPY_FILE_RANGE:
        return 0;
    default:
        return -1;
    }
}

/* Where it has another node's number, or -1. */
static int node_offset(uint32_t opcode)
{
    switch (opcode) {
    case FUSE_RENAME:
    case FUSE_RENAME2:
    case FUSE_LINK:
        return 0;
    case FUSE_COPY_FILE_RANGE:
        return (int)offsetof(struct fuse_copy_file_range_in, nodeid_out);
    default:
        return -1;
    }
}

static void put_number(unsigned char *body, int offset, uint64_t number)
{
    if (offset >= 0)
        memcpy(body + offset, &number, sizeof(number));
}

static void limit_size(unsigned char *body, size_t offset, size_t limit)
{
    uint32_t size;
    memcpy(&size, body + offset, sizeof(size));
    size = size > limit ? (uint32_t)limit : size;
    memcpy(body + offset, &size, sizeof(size));
}

/* The kernel never says that there is more than it sends, nor asks for more than it takes; libfuse
 * believes it. */
static void keep_promises(uint32_t opcode, unsigned char *body, size_t size)
{
    switch (opcode) {
    case FUSE_WRITE:
        limit_size(body, offsetof(struct fuse_write_in, size), size - sizeof(struct fuse_write_in));
        return;
    case FUSE_SETXATTR:
        limit_size(body, offsetof(struct fuse_setxattr_in, size), 64);
        return;
    case FUSE_BATCH_FORGET:
        limit_size(body, offsetof(struct fuse_batch_forget_in, count),
                   (size - sizeof(struct fuse_batch_forget_in)) / sizeof(struct fuse_forget_one));
        return;
    case FUSE_READ:
    case FUSE_READDIR:
    case FUSE_READDIRPLUS:
        limit_size(body, offsetof(struct fuse_read_in, size), 65536);
        return;
    case FUSE_FALLOCATE:
        memset(body + offsetof(struct fuse_fallocate_in, offset) + 3, 0, 5);
        memset(body + offsetof(struct fuse_fallocate_in, length) + 3, 0, 5);
        return;
    case FUSE_GETXATTR:
    case FUSE_LISTXATTR:
        limit_size(body, offsetof(struct fuse_getxattr_in, size), 65536);
        return;
    default:
        return;
    }
}

static uint64_t choose(const uint64_t *numbers, unsigned count, uint8_t choice)
{
    if (count == 0 || choice >= 0xf8)
        return (uint64_t)choice << (choice % 8 * 8);
    return numbers[choice % count];
}

static void send_request(struct fuse_session *session, uint32_t opcode, uint64_t node,
                         const unsigned char *body, size_t size)
{
    static uint64_t unique;
    _Alignas(8) unsigned char bytes[sizeof(struct fuse_in_header) + BODY_LIMIT + SLACK] = {0};
    struct fuse_in_header header = {
        .len = (uint32_t)(sizeof(header) + size),
        .opcode = opcode,
        .unique = ++unique,
        .nodeid = node,
        .uid = getuid(),
        .gid = getgid(),
        .pid = (uint32_t)getpid(),
    };
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), body, size);
    pthread_mutex_lock(&known.lock);
    known.opcode = opcode;
    pthread_mutex_unlock(&known.lock);
    struct fuse_buf buffer = {.size = header.len, .mem = bytes};
    fuse_session_process_buf(session, &buffer);
}

/* A second INIT would be a new connection, DESTROY comes at the end, an interrupt of nothing waits
 * for its request for ever, so does a lock that is held, and libfuse 3.14 leaks a NOTIFY_REPLY that
 * answers nothing. */
static bool is_sent(uint32_t opcode)
{
    return opcode != FUSE_INIT && opcode != FUSE_DESTROY && opcode != FUSE_INTERRUPT &&
           opcode != FUSE_SETLKW && opcode != FUSE_NOTIFY_REPLY;
}

/* Sends the record's request and returns how many bytes of the input it took; 0: no more. */
static size_t replay_record(struct fuse_session *session, const uint8_t *data, size_t size)
{
    struct record record;
    _Alignas(8) unsigned char body[BODY_LIMIT] = {0};
    if (size < sizeof(record))
        return 0;
    memcpy(&record, data, sizeof(record));
    size_t length = smaller(record.length, size - sizeof(record));
    memcpy(body, data + sizeof(record), length);
    uint32_t opcode = record.opcode % 64;

    pthread_mutex_lock(&known.lock);
    uint64_t node =
        record.fill & FILL_NODE ? choose(known.nodes, known.node_count, record.node) : record.node;
    uint64_t other = choose(known.nodes, known.node_count, record.other_node);
    uint64_t handle = choose(known.handles, known.handle_count, record.handle);
    pthread_mutex_unlock(&known.lock);
    if (record.fill & FILL_OTHER)
        put_number(body, node_offset(opcode), other);
    if (record.fill & FILL_HANDLE) {
        put_number(body, handle_offset(opcode), handle);
        if (opcode == FUSE_COPY_FILE_RANGE)
            put_number(body, (int)offsetof(struct fuse_copy_file_range_in, fh_out), handle);
    }
    /* Zeros behind the body end every name. */
    size_t sent = smaller(length + 160, BODY_LIMIT);
    keep_promises(opcode, body, sent);
    if (is_sent(opcode))
        send_request(session, opcode, node, body, sent);
    return sizeof(record) + length;
}

/* --- one input --- */

static struct config *load_rules(void)
{
    static struct config *config;
    static const char *const none[] = {NULL};
    cleanup_diagnostics struct diagnostics found = {0};
    if (!config)
        config = config_from_options("fuzz", "/source", none, world_rules, &found);
    fuzz_check(config, "the rules are not loaded");
    return config;
}

static struct fuse_session *start_session(struct view *view)
{
    static const struct fuse_custom_io io = {.writev = take_answer, .read = read_nothing};
    char program[] = "fuzz";
    char *words[] = {program, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
    struct fuse_session *session =
        fuse_session_new(&arguments, &operations, sizeof(operations), view);
    fuse_opt_free_args(&arguments);
    fuzz_check(session &&
                   fuse_session_custom_io(session, &io, open("/dev/null", O_RDWR | O_CLOEXEC)) == 0,
               "no session");
    const struct fuse_init_in init = {
        .major = FUSE_KERNEL_VERSION,
        .minor = FUSE_KERNEL_MINOR_VERSION,
        .max_readahead = 131072,
        .flags = ~(uint32_t)FUSE_INIT_EXT,
    };
    send_request(session, FUSE_INIT, 0, (const unsigned char *)&init, sizeof(init));
    return session;
}

static void forget_numbers(void)
{
    static const uint64_t nobody_gave[] = {2, UINT64_MAX};
    known.node_count = known.handle_count = 0;
    known.betrayed = false;
    learn(known.nodes, &known.node_count, FUSE_ROOT_ID);
    for (size_t i = 0; i < 2; i++) {
        learn(known.nodes, &known.node_count, nobody_gave[i]);
        learn(known.handles, &known.handle_count, nobody_gave[i]);
    }
}

static void be_quiet(void)
{
    static int null_fd = -1;
    if (null_fd >= 0)
        return;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    log_to(null_fd, LOG_LEVEL_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view view;
    cleanup_error struct error *error = NULL;
    be_quiet();
    cleanup_fd int source_fd = world_make();
    struct session_plan plan = {
        .scope = load_rules()->scopes[0], .source_fd = source_fd, .report_fd = -1};
    fuzz_check(session_open_view(&plan, &view, &error) == 0, "no view: %s",
               error ? error->message : "");
    view.proc_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    view.channel_fd = -1;
    view.session = start_session(&view);
    forget_numbers();
    size_t at = 0, taken = 1;
    for (unsigned i = 0; i < REQUESTS_AT_MOST && taken > 0; i++, at += taken)
        taken = replay_record(view.session, data + at, size - at);
    lock_queue_free(view.locks);
    view.locks = NULL;
    fuse_session_destroy(view.session);
    session_close_view(&view);
    const char *changed = world_changed();
    fuzz_check(!changed, "%s was changed", changed);
    fuzz_check(!known.betrayed || world_betrayed_by(data, size), "an answer held what is hidden");
    return 0;
}
