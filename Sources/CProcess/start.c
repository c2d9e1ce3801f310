#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// The child of fork, until it is the program. Only calls that are safe there: other threads may have held any lock.
static int become(const struct cprocess_start *how, pid_t parent) {
    if (how->own_session ? setsid() < 0 : setpgid(0, 0) < 0) return errno;
    if (how->death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, how->death_signal) < 0) return errno;
        // The parent may have ended before the kernel knew.
        if (getppid() != parent) return ESRCH;
    }
    for (int number = 0; number < 3; number++) {
        int source = how->descriptors[number];
        if (source == cprocess_unchanged) continue;
        if (source == cprocess_nothing) source = open("/dev/null", O_RDWR);
        // Under the same number there is no copy that would lose the mark to be closed.
        if (source < 0 || (source == number ? fcntl(number, F_SETFD, 0) : dup2(source, number)) < 0) return errno;
    }
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&how->defaults, number) == 1) {
            action.sa_handler = SIG_DFL;
        } else if (sigismember(&how->ignored, number) == 1) {
            action.sa_handler = SIG_IGN;
        } else {
            continue;
        }
        (void)sigaction(number, &action, NULL);
    }
    if (sigprocmask(SIG_SETMASK, &how->mask, NULL) < 0) return errno;
    (void)execvpe(how->arguments[0], how->arguments, how->environment);
    return errno;
}

int cprocess_start(const struct cprocess_start *how, pid_t *id) {
    // What keeps the child from becoming the program comes through this; the program closes it.
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return errno;
    // No handler of this process may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        int problem = become(how, parent);
        while (write(report[1], &problem, sizeof problem) < 0 && errno == EINTR) {}
        _exit(127);
    }
    int problem = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child > 0) {
        ssize_t count;
        while ((count = read(report[0], &problem, sizeof problem)) < 0 && errno == EINTR) {}
        if (count == sizeof problem) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        } else {
            problem = 0;
        }
    }
    close(report[0]);
    if (problem == 0) *id = child;
    return problem;
}
