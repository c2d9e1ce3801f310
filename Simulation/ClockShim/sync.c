// The disk: keeps account of what a process has synced, which is what a loss of power would leave, and can make syncing
// slow.
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "page.h"

static void stall(void) {
    int64_t length = redlock_page_sync_stall(redlock_shim_page);
    if (length <= 0) return;
    struct timespec time = {length / 1000000000, length % 1000000000};
    // A signal may cut it short; that is no harm.
    syscall(SYS_nanosleep, &time, 0);
}

static void note(uint64_t inode, int64_t size) {
    int place = -1;
    for (int index = 0; index < REDLOCK_SYNCED_FILES; index++) {
        if (redlock_shim_page->synced[index].inode == inode) place = index;
    }
    if (place < 0) {
        uint64_t count = __atomic_fetch_add(&redlock_shim_page->sync_count, 1, __ATOMIC_RELAXED);
        place = (int)(count % REDLOCK_SYNCED_FILES);
    }
    __atomic_store_n(&redlock_shim_page->synced[place].size, size, __ATOMIC_RELAXED);
    __atomic_store_n(&redlock_shim_page->synced[place].inode, inode, __ATOMIC_RELAXED);
}

static int synchronise(long call, int descriptor) {
    if (redlock_shim_page == 0) return (int)syscall(call, descriptor);
    // What is written while it syncs may or may not be on the disk: the size before it counts.
    struct stat status;
    int is_known = fstat(descriptor, &status) == 0;
    stall();
    int result = (int)syscall(call, descriptor);
    if (result == 0 && is_known) note(status.st_ino, status.st_size);
    return result;
}

int fsync(int descriptor) { return synchronise(SYS_fsync, descriptor); }

int fdatasync(int descriptor) { return synchronise(SYS_fdatasync, descriptor); }
