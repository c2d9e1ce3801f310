// A library to be preloaded into a process whose wall clock is to be off: LD_PRELOAD=libClockShim.so and
// REDLOCK_LIVE_PAGE=FILE (live_page.h). Without the variable, or with a file that cannot be mapped, it changes nothing.
#ifndef REDLOCK_CLOCK_SHIM_H
#define REDLOCK_CLOCK_SHIM_H

// 1 when the page is mapped: what is answered follows it.
int redlock_clock_shim_is_active(void);

#endif
