#include "terminal_loan.h"

#include "scopefs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How soon it is seen that the caller was taken to the foreground. */
#define LOOK_MS 200
/* More than the kernel holds of what was printed. */
#define LAST_WORDS (256 * 1024)

static bool in_foreground(const struct terminal_loan *loan)
{
    return tcgetpgrp(loan->keys) == getpgrp();
}

static void set_raw(struct terminal_loan *loan)
{
    struct termios raw = loan->saved;
    if (loan->keys < 0 || loan->is_raw || !in_foreground(loan))
        return;
    cfmakeraw(&raw);
    loan->is_raw = tcsetattr(loan->keys, TCSADRAIN, &raw) == 0;
}

static void set_back(struct terminal_loan *loan)
{
    if (loan->is_raw && in_foreground(loan))
        tcsetattr(loan->keys, TCSADRAIN, &loan->saved);
    loan->is_raw = false;
}

static void pass_size(const struct terminal_loan *loan)
{
    struct winsize size, present;
    if (ioctl(loan->screen, TIOCGWINSZ, &size) == 0 &&
        ioctl(loan->master, TIOCGWINSZ, &present) == 0 &&
        memcmp(&size, &present, sizeof(size)) != 0)
        (void)ioctl(loan->master, TIOCSWINSZ, &size);
}

static int prepare(struct terminal_loan *loan)
{
    if (tcgetattr(loan->screen, &loan->saved) < 0 ||
        tcsetattr(loan->slave, TCSANOW, &loan->saved) < 0)
        return -1;
    pass_size(loan);
    set_raw(loan);
    return 0;
}

static int open_pair(struct terminal_loan *loan)
{
    loan->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (loan->master < 0 || grantpt(loan->master) < 0 || unlockpt(loan->master) < 0)
        return -1;
    loan->slave = ioctl(loan->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return loan->slave < 0 ? -1 : prepare(loan);
}

int terminal_loan_open(struct terminal_loan *loan, int streams[3], struct error **error)
{
    bool is_terminal[3], any = false;
    *loan = (struct terminal_loan)TERMINAL_LOAN_NONE;
    for (int i = 2; i >= 0; i--) {
        is_terminal[i] = isatty(streams[i]);
        if (!is_terminal[i])
            continue;
        any = true;
        if (i > 0 || !(is_terminal[1] || is_terminal[2]))
            loan->screen = streams[i];
    }
    if (is_terminal[0])
        loan->keys = streams[0];
    if (!any)
        return 0;
    if (open_pair(loan) < 0)
        return error_set(error, errno, "cannot make a terminal for the command");
    for (int i = 0; i < 3; i++)
        if (is_terminal[i])
            streams[i] = loan->slave;
    return 0;
}

int terminal_loan_want(const struct terminal_loan *loan, struct pollfd wanted[2])
{
    bool reads = loan->is_raw && loan->pending_size == 0;
    wanted[0] = (struct pollfd){.fd = reads ? loan->keys : -1, .events = POLLIN};
    wanted[1] = (struct pollfd){.fd = loan->master, .events = POLLIN};
    if (loan->pending_size)
        wanted[1].events |= POLLOUT;
    return loan->keys >= 0 && !loan->is_raw ? LOOK_MS : -1;
}

/* The signal of a key, as the call's terminal has it set, or 0. */
static int signal_of(const struct termios *lent, char key)
{
    static const struct {
        int name, signal;
    } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if ((cc_t)key == lent->c_cc[keys[i].name] && lent->c_cc[keys[i].name] != _POSIX_VDISABLE)
            return keys[i].signal;
    return 0;
}

/* The call's terminal is nobody's to be signalled by; the owner's would signal the caller's group,
 * which passes it on. */
static void act_on_keys(struct terminal_loan *loan, const char *typed, size_t size)
{
    struct termios lent;
    if (tcgetattr(loan->master, &lent) < 0 || !(lent.c_lflag & ISIG))
        return;
    for (size_t i = 0; i < size; i++) {
        int number = signal_of(&lent, typed[i]);
        if (number == SIGTSTP)
            set_back(loan);
        if (number)
            kill(0, number);
    }
}

static void read_keys(struct terminal_loan *loan)
{
    ssize_t size = read(loan->keys, loan->pending, sizeof(loan->pending));
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size <= 0) {
        loan->keys = -1;
        return;
    }
    loan->pending_size = (size_t)size;
    act_on_keys(loan, loan->pending, (size_t)size);
}

static void pass_keys(struct terminal_loan *loan)
{
    ssize_t size = write(loan->master, loan->pending, loan->pending_size);
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        loan->pending_size = 0;
    if (size <= 0)
        return;
    loan->pending_size -= (size_t)size;
    memmove(loan->pending, loan->pending + size, loan->pending_size);
}

/* Returns how much it was. */
static size_t pass_output(const struct terminal_loan *loan)
{
    char bytes[16384];
    ssize_t size = read(loan->master, bytes, sizeof(bytes));
    if (size <= 0)
        return 0;
    (void)fd_write_all(loan->screen, bytes, (size_t)size);
    return (size_t)size;
}

void terminal_loan_serve(struct terminal_loan *loan, const struct pollfd ready[2])
{
    if (loan->master < 0)
        return;
    set_raw(loan);
    pass_size(loan);
    if (ready[1].revents & POLLIN)
        pass_output(loan);
    if (ready[0].revents)
        read_keys(loan);
    if (loan->pending_size)
        pass_keys(loan);
}

void terminal_loan_close(struct terminal_loan *loan)
{
    if (loan->master < 0)
        return;
    size_t total = 0;
    for (size_t size; total < LAST_WORDS && (size = pass_output(loan)) > 0; total += size)
        ;
    set_back(loan);
    /* With it, every descriptor of the other side is of no use. */
    fd_close(&loan->master);
    fd_close(&loan->slave);
}
