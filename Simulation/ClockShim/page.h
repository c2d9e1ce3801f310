// The shim's view of its page. Nothing here allocates, locks, or looks a symbol up: it runs inside allocators, before
// main, and in signal handlers.
#ifndef REDLOCK_SHIM_PAGE_H
#define REDLOCK_SHIM_PAGE_H

#include "../LivePage/live_page.h"

// Null until the constructor has mapped it, and where there is none.
extern redlock_live_page *redlock_shim_page;

#endif
