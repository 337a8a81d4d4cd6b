/* What isn't stood in for says so, and fails. */
#ifndef LOUD_H
#define LOUD_H

#include "machine.h"

/* Say this name on stderr and in the file `unknown` of the machine, once a process, and return the code. */
int unknown(const char *name, int code);
/* Whether a function is one of those that LOUD has made. */
bool is_loud(const void *function);

#define LOUD(name, code)                                            \
    API __attribute__((section("loud"))) int name(void);            \
    API __attribute__((section("loud"))) int name(void) {           \
        return unknown(#name, code);                                \
    }

#endif
