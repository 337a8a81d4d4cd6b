/* See loud.h. */
#define _GNU_SOURCE
#include "loud.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NAMES = 4096 };

/* The linker's names for the ends of the section; there are none in a library without such functions. */
extern const char __start_loud[] __attribute__((weak, visibility("hidden")));
extern const char __stop_loud[] __attribute__((weak, visibility("hidden")));

bool is_loud(const void *function) {
    return (const char *)function >= __start_loud && (const char *)function < __stop_loud;
}

static bool is_new(const char *name) {
    static char *names[MAX_NAMES];
    static int count;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    bool found = count == MAX_NAMES;
    for (int i = 0; i < count && !found; i++)
        found = !strcmp(names[i], name);
    if (!found)
        names[count++] = strdup(name);
    pthread_mutex_unlock(&lock);
    return !found;
}

int unknown(const char *name, int code) {
    if (is_new(name)) {
        char path[PATH_SIZE];
        path_of(path, "unknown");
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (file >= 0) {
            dprintf(file, "%s\n", name);
            close(file);
        }
        dprintf(STDERR_FILENO, "stand-in driver: %s is not stood in for\n", name);
    }
    return code;
}
