#include "session_stop.h"

#include "clock.h"
#include "session_gate.h"

#include <signal.h>

#define ROUND_US       50000
#define LEAST_GRACE_MS 2000

void session_stop_reset(struct session_stop *stop)
{
    process_set_free(&stop->signalled);
    *stop = (struct session_stop){.next_round = CLOCK_NEVER};
}

void session_stop_begin(struct session_stop *stop, enum session_stop_cause cause, int signal,
                        unsigned long kill_after_ms)
{
    if (stop->cause == STOP_TIME || stop->cause == STOP_CALLER_GONE)
        return;
    session_stop_reset(stop);
    stop->cause = cause;
    stop->signal = signal;
    stop->next_round = clock_us();
    stop->kill_at = stop->give_up_at = CLOCK_NEVER;
    if (cause == STOP_SIGNAL)
        return;
    unsigned long grace = kill_after_ms > LEAST_GRACE_MS ? kill_after_ms : LEAST_GRACE_MS;
    stop->kill_at = kill_after_ms ? clock_deadline(kill_after_ms) : clock_us();
    stop->give_up_at =
        stop->kill_at == CLOCK_NEVER ? CLOCK_NEVER : stop->kill_at + (int64_t)grace * 1000;
}

bool session_stop_round(struct session_stop *stop, pid_t shell, const struct process_set *spared)
{
    int64_t now = clock_us();
    if (now < stop->next_round)
        return true;
    if (now >= stop->give_up_at)
        return false;
    stop->next_round = now + ROUND_US;
    kill(shell, SESSION_BREAK);
    /* A builtin that waits for input heeds nothing else. */
    if (stop->has_begun)
        kill(shell, SIGINT);
    if (now >= stop->kill_at) {
        __attribute__((cleanup(process_set_free))) struct process_set killed = {0};
        process_signal_new(shell, spared, &killed, SIGKILL);
    } else {
        /* What comes later is what the shell should not have gone on to. */
        process_signal_new(shell, spared, &stop->signalled,
                           stop->has_begun ? SIGINT : stop->signal);
    }
    stop->has_begun = true;
    return true;
}
