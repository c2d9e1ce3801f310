#define _GNU_SOURCE
#include "CProcess.h"

#include <stddef.h>

void cprocess_signals(sigset_t *blocked, sigset_t *ignored, sigset_t *defaults) {
    pthread_sigmask(SIG_SETMASK, NULL, blocked);
    sigemptyset(ignored);
    sigemptyset(defaults);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        // It fails for the numbers that glibc keeps to itself.
        if (sigaction(number, NULL, &action) != 0) continue;
        sigaddset(action.sa_handler == SIG_IGN ? ignored : defaults, number);
    }
}

int cprocess_is_from_kernel(const siginfo_t *signal) {
    return signal->si_code == SI_KERNEL;
}

pid_t cprocess_child(const siginfo_t *report) {
    return report->si_pid;
}
