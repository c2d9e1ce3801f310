// The page that a controller and the preloaded shim of one process share: the controller writes what the process is to
// believe about its wall clock, the shim writes what the process has had on the disk. It is a file, mapped by both.
//
// Plain loads and stores with explicit order, so that it can be read inside clock_gettime, where nothing may be locked.
#ifndef REDLOCK_LIVE_PAGE_H
#define REDLOCK_LIVE_PAGE_H

#include <stdint.h>

// Where the shim finds the file's path.
#define REDLOCK_LIVE_PAGE_VARIABLE "REDLOCK_LIVE_PAGE"

// Files whose last fsync is remembered; a redis-server syncs three or four.
enum { REDLOCK_SYNCED_FILES = 16 };

typedef struct {
    // Of the wall clock, from the machine's: `offset + (monotonic - base) * rate`. The sequence is odd while it is written.
    uint64_t sequence;
    int64_t offset_ns;
    int64_t rate_ppb;
    int64_t base_ns;
    // How much longer every fsync takes.
    int64_t sync_stall_ns;
    // The size that a file had before its last fsync began: that much of it is on the disk.
    uint64_t sync_count;
    struct {
        uint64_t inode;
        int64_t size;
    } synced[REDLOCK_SYNCED_FILES];
} redlock_live_page;

typedef struct {
    int64_t offset_ns;
    int64_t rate_ppb;
    int64_t base_ns;
} redlock_clock_setting;

static inline redlock_clock_setting redlock_page_clock(const redlock_live_page *page) {
    redlock_clock_setting setting;
    uint64_t before, after;
    do {
        before = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
        setting.offset_ns = __atomic_load_n(&page->offset_ns, __ATOMIC_RELAXED);
        setting.rate_ppb = __atomic_load_n(&page->rate_ppb, __ATOMIC_RELAXED);
        setting.base_ns = __atomic_load_n(&page->base_ns, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        after = __atomic_load_n(&page->sequence, __ATOMIC_RELAXED);
    } while (before != after || (before & 1) != 0);
    return setting;
}

// One writer at a time.
static inline void redlock_page_set_clock(redlock_live_page *page, redlock_clock_setting setting) {
    uint64_t sequence = __atomic_load_n(&page->sequence, __ATOMIC_RELAXED);
    __atomic_store_n(&page->sequence, sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&page->offset_ns, setting.offset_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&page->rate_ppb, setting.rate_ppb, __ATOMIC_RELAXED);
    __atomic_store_n(&page->base_ns, setting.base_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&page->sequence, sequence + 2, __ATOMIC_RELEASE);
}

// How far the wall clock is off when the monotonic one reads `monotonic_ns`.
static inline int64_t redlock_clock_skew(redlock_clock_setting setting, int64_t monotonic_ns) {
    __int128 gained = (__int128)(monotonic_ns - setting.base_ns) * setting.rate_ppb / 1000000000;
    return setting.offset_ns + (int64_t)gained;
}

static inline int64_t redlock_page_sync_stall(const redlock_live_page *page) {
    return __atomic_load_n(&page->sync_stall_ns, __ATOMIC_RELAXED);
}

static inline void redlock_page_set_sync_stall(redlock_live_page *page, int64_t nanoseconds) {
    __atomic_store_n(&page->sync_stall_ns, nanoseconds, __ATOMIC_RELAXED);
}

// So much of a file is on the disk; -1 when it was never synced. To be asked when the process is gone.
static inline int64_t redlock_page_synced_size(const redlock_live_page *page, uint64_t inode) {
    for (int index = 0; index < REDLOCK_SYNCED_FILES; index++) {
        if (page->synced[index].inode == inode) return page->synced[index].size;
    }
    return -1;
}

#endif
