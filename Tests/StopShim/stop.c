/*
 * Preloaded into a program by tests: stops the process, once, right before it writes to standard error what
 * REDLOCK_STOP_BEFORE says.
 */
#define _GNU_SOURCE
#include "stop_shim.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int has_stopped;

ssize_t write(int descriptor, const void *bytes, size_t count) {
    const char *text = getenv("REDLOCK_STOP_BEFORE");
    if (descriptor == STDERR_FILENO && text && !has_stopped && memmem(bytes, count, text, strlen(text))) {
        has_stopped = 1;
        kill(getpid(), SIGSTOP);
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

int redlock_stop_shim_has_stopped(void) { return has_stopped; }
