// The wall clock, answered with what the page adds. Raw system calls: the C library's own functions are the ones that
// are replaced here, and to ask the dynamic linker for them needs an allocator that may ask for the time.
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "page.h"

enum { NANOSECONDS = 1000000000 };

static int64_t read_clock(clockid_t clock) {
    struct timespec time = {0, 0};
    syscall(SYS_clock_gettime, clock, &time);
    return (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec;
}

static int64_t skew(void) {
    if (redlock_shim_page == 0) return 0;
    redlock_clock_setting setting = redlock_page_clock(redlock_shim_page);
    return redlock_clock_skew(setting, read_clock(CLOCK_MONOTONIC));
}

static int is_wall(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM
        || clock == CLOCK_TAI;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (syscall(SYS_clock_gettime, clock, time) != 0) return -1;
    if (is_wall(clock)) {
        int64_t reading = (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec + skew();
        // The wall clock does not go before 1970 here.
        if (reading < 0) reading = 0;
        time->tv_sec = reading / NANOSECONDS;
        time->tv_nsec = reading % NANOSECONDS;
    }
    return 0;
}

// The header says that `time` is not null.
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    if (zone != NULL) *(struct timezone *)zone = (struct timezone){0, 0};
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}
