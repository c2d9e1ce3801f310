#ifndef REDLOCK_STOP_SHIM_H
#define REDLOCK_STOP_SHIM_H

/* Whether this process was stopped. */
int redlock_stop_shim_has_stopped(void);

#endif
