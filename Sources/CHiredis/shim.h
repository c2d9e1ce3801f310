// What Swift sees of C here: hiredis' reply reader and command formatter, and what the Glibc module leaves out: epoll,
// timers and events as descriptors, and malloc_trim, for measuring.
// Only names that hiredis 0.14 and 1.x share are used.
#ifndef REDLOCK_CHIREDIS_SHIM_H
#define REDLOCK_CHIREDIS_SHIM_H

#if !__has_include(<hiredis/hiredis.h>)
#error "hiredis is missing: install it with `apt-get install libhiredis-dev`"
#endif

#include <hiredis/hiredis.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#endif
