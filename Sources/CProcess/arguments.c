#include "CProcess.h"

static struct cprocess_words kept;

// glibc calls constructors with the words of `main`.
__attribute__((constructor)) static void keep(int count, char **words) {
    kept.count = count;
    kept.words = words;
}

struct cprocess_words cprocess_words(void) {
    return kept;
}
