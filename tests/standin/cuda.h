/* What the parts of the stand-in for libcuda share; see cuda.c. */
#ifndef CUDA_H
#define CUDA_H

#include "machine.h"

#include <stddef.h>

enum {
    OK = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    DEVICE_UNAVAILABLE = 46,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_PTX = 218,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    NOT_SUPPORTED = 801,
    UNKNOWN = 999,
};

/* A device as this process sees it, with its primary context; its place in the list is its ordinal. */
struct visible {
    struct context context;
    unsigned retained;
};

extern struct visible visibles[MAX_UNITS];
extern int visible_count;
/* NULL where no context is current in this thread. */
extern __thread struct visible *current;
/* A GPU kernel has stored to nowhere; one was launched that never ends. Both last until the process ends. */
extern bool is_broken, is_spinning;

/* Read the machine on behalf of a function; what the function must return, or OK. */
int begin(struct machine *machine, const char *function, bool needs_init);
/* One call of a process at a time: `leave` lets the next one in. */
int enter(void);
void leave(const int *entered);
/* NULL where the ordinal is none, or where the device is no longer on the machine. */
const struct unit *unit_at(const struct machine *machine, int ordinal);
/* NULL where the device is no longer on the machine, or lost. */
const struct unit *unit_of(const struct machine *machine, const struct visible *visible);
/* Fill `visibles` as CUDA_VISIBLE_DEVICES says. */
void choose_visible(const struct machine *machine);
/* Tell the machine of the contexts of this process. */
void record_contexts(void);
/* Wait for what was launched, which may be for ever. */
int wait_for_work(void);
/* Run the GPU kernel of this name in so many blocks; an error of CUDA where that can't be done. */
int run_kernel(const char *name, void **parameters, unsigned blocks);

/* Read the machine, or return what stands in the way; the call is alone in its process until it returns. */
#define BEGIN(needs_init)                                \
    struct machine machine;                              \
    int refused = begin(&machine, __func__, needs_init); \
    if (refused)                                         \
        return refused;                                  \
    __attribute__((cleanup(leave))) const int entered = enter()

/* The same, and need a current context whose GPU is there. */
#define BEGIN_CONTEXT                     \
    BEGIN(true);                          \
    if (!current || !current->retained)   \
        return INVALID_CONTEXT;           \
    if (!unit_of(&machine, current))      \
    return UNKNOWN

/* The same, of one device. */
#define BEGIN_DEVICE(ordinal)                                \
    BEGIN(true);                                             \
    const struct unit *unit = unit_at(&machine, ordinal);    \
    if (!unit)                                               \
    return INVALID_DEVICE

#endif
