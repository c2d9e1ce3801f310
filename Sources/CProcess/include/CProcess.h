// What Swift cannot do for a program that runs another: what must happen between fork and exec, and the words of the
// command line where there is no /proc, from which Swift's runtime reads them.
#ifndef REDLOCK_CPROCESS_H
#define REDLOCK_CPROCESS_H

#include <signal.h>
#include <sys/types.h>

// The words that this process was started with, as `main` gets them. The count is 0 where the loader does not hand them
// to constructors.
struct cprocess_words {
    int count;
    char *const *words;
};
struct cprocess_words cprocess_words(void);

// In the place of a descriptor: /dev/null; or what this process has under the same number, be it nothing.
enum { cprocess_nothing = -1, cprocess_unchanged = -2 };

struct cprocess_start {
    char *const *arguments;    // ends with NULL; the first is looked for as a shell would
    char *const *environment;  // ends with NULL
    int descriptors[3];        // what becomes standard input, output and error
    int own_session;           // 1: a session of its own; 0: a process group of its own in this session
    sigset_t mask;             // signals that it starts with blocked
    sigset_t ignored;          // signals that it starts with ignored
    sigset_t defaults;         // signals that it starts with the default action
    int death_signal;          // what it gets when the thread that starts it ends; 0 for nothing
};

// Starts a program: 0, and its process id; or an errno.
//
// A script without `#!` is run by /bin/sh, as shells do it.
int cprocess_start(const struct cprocess_start *how, pid_t *id);

// What this thread blocks, and what this process ignores; all other signals are in `defaults`.
void cprocess_signals(sigset_t *blocked, sigset_t *ignored, sigset_t *defaults);

// Members of siginfo_t that are macros: whether the kernel sent a signal, as it does for the keys of a terminal; and the
// child that waitid reported, 0 for none.
int cprocess_is_from_kernel(const siginfo_t *signal);
pid_t cprocess_child(const siginfo_t *report);

#endif
