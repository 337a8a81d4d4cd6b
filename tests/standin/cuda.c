/* A stand-in for NVIDIA's libcuda.so.1: what the tests need of the CUDA driver, on the machine that machine.h describes.

   A context and its memory are a line in contexts/PID, which the stand-in for NVML shows and counts; nothing is ever
   computed. A kernel whose name contains "null" breaks all calls after it, one with "spin" in its name never ends.
   As with the real driver, a fork of a process that has called cuInit can't use it. Calls of several threads aren't
   kept apart, and modules and functions are never given back. */
#include "cuda_memory.h"
#include "machine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700,
};
enum { EXCLUSIVE_THREAD = 1, PROHIBITED = 2, EXCLUSIVE_PROCESS = 3 };

/* A device as this process sees it, with its primary context. */
struct visible {
    struct context context;
    unsigned retained;
};

static struct visible visibles[MAX_UNITS];
static int visible_count;
static pid_t initialized_by;
static bool is_broken, is_spinning;
static __thread struct visible *current;

static int begin(struct machine *machine, const char *function, bool needs_init) {
    if (!read_machine(machine, function))
        return NO_DEVICE;
    if (machine->error)
        return machine->error;
    if (is_broken)
        return ILLEGAL_ADDRESS;
    return needs_init && initialized_by != getpid() ? NOT_INITIALIZED : OK;
}

/* Read the machine, or return what stands in the way. */
#define BEGIN(needs_init)                                     \
    struct machine machine;                                   \
    int refused = begin(&machine, __func__, needs_init);      \
    if (refused)                                              \
    return refused

/* The same, and need a current context. */
#define BEGIN_CONTEXT                                         \
    BEGIN(true);                                              \
    if (!current || !current->retained)                       \
    return INVALID_CONTEXT

static const struct unit *unit_of(const struct machine *machine, const struct visible *visible) {
    return find_unit(machine, visible->context.device, visible->context.instance);
}

static const struct unit *unit_at(const struct machine *machine, int ordinal) {
    return ordinal >= 0 && ordinal < visible_count ? unit_of(machine, &visibles[ordinal]) : NULL;
}

static void record_contexts(void) {
    struct context contexts[MAX_UNITS];
    int count = 0;
    for (int i = 0; i < visible_count; i++)
        if (visibles[i].retained)
            contexts[count++] = visibles[i].context;
    write_contexts(contexts, count);
}

/* Of a GPU in MIG mode, its first instance is what CUDA sees. */
static const struct unit *usable(const struct machine *machine, const struct unit *unit) {
    return unit && unit->mig == MIG_ON ? find_unit(machine, unit->device, 0) : unit;
}

/* The one device that an entry of CUDA_VISIBLE_DEVICES names: an index, a UUID or its beginning. */
static const struct unit *named(const struct machine *machine, const char *entry) {
    const struct unit *found = NULL;
    char *end;
    long index = strtol(entry, &end, 10);
    if (end != entry && !*end)
        return index >= 0 ? usable(machine, find_unit(machine, (int)index, -1)) : NULL;
    if (strncmp(entry, "GPU-", 4) && strncmp(entry, "MIG-", 4))
        return NULL;
    for (int i = 0; i < machine->units; i++)
        if (!strncmp(machine->unit[i].uuid, entry, strlen(entry))) {
            if (found)
                return NULL;
            found = &machine->unit[i];
        }
    return usable(machine, found);
}

static void add_visible(const struct unit *unit) {
    visibles[visible_count++] = (struct visible){{unit->device, unit->instance, 0, false}, 0};
}

static void choose_visible(const struct machine *machine) {
    const char *wanted = getenv("CUDA_VISIBLE_DEVICES");
    visible_count = 0;
    for (int i = 0; !wanted && i < machine->devices; i++) {
        const struct unit *unit = usable(machine, find_unit(machine, i, -1));
        if (unit)
            add_visible(unit);
    }
    char *entries = strdup(wanted ? wanted : ""), *rest = NULL;
    for (char *entry = strtok_r(entries, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
        const struct unit *unit = named(machine, entry);
        /* The first entry that names nothing ends the list. */
        if (!unit || visible_count == MAX_UNITS)
            break;
        add_visible(unit);
    }
    free(entries);
}

API int cuInit(unsigned flags) {
    (void)flags;
    BEGIN(false);
    if (initialized_by)
        return initialized_by == getpid() ? OK : NOT_INITIALIZED;
    choose_visible(&machine);
    if (!visible_count)
        return NO_DEVICE;
    initialized_by = getpid();
    return OK;
}

API int cuDriverGetVersion(int *version) {
    BEGIN(false);
    *version = machine.cuda;
    return OK;
}

API int cuDeviceGetCount(int *count) {
    BEGIN(true);
    *count = visible_count;
    return OK;
}

API int cuDeviceGet(int *device, int ordinal) {
    BEGIN(true);
    if (!unit_at(&machine, ordinal))
        return INVALID_DEVICE;
    *device = ordinal;
    return OK;
}

API int cuDeviceGetName(char *name, int size, int device) {
    BEGIN(true);
    const struct unit *unit = unit_at(&machine, device);
    if (!unit)
        return INVALID_DEVICE;
    snprintf(name, (size_t)size, "%s", unit->name);
    return OK;
}

API int cuDeviceGetUuid_v2(unsigned char uuid[16], int device) {
    BEGIN(true);
    const struct unit *unit = unit_at(&machine, device);
    if (!unit)
        return INVALID_DEVICE;
    memset(uuid, 0, 16);
    int digit = 0;
    /* After "GPU-" or "MIG-". */
    for (const char *c = unit->uuid + 4; strlen(unit->uuid) > 4 && *c && digit < 32; c++)
        if (isxdigit((unsigned char)*c)) {
            int half = isdigit((unsigned char)*c) ? *c - '0' : tolower((unsigned char)*c) - 'a' + 10;
            uuid[digit / 2] = (unsigned char)(uuid[digit / 2] << 4 | half);
            digit++;
        }
    return OK;
}

/* Whether the compute mode of the device allows one more context. */
static bool is_open(const struct machine *machine, const struct unit *unit) {
    if (unit->compute_mode == EXCLUSIVE_THREAD || unit->compute_mode == EXCLUSIVE_PROCESS)
        return !machine->context_bytes[unit - machine->unit];
    return unit->compute_mode != PROHIBITED;
}

API int cuDevicePrimaryCtxRetain(void **context, int device) {
    BEGIN(true);
    const struct unit *unit = unit_at(&machine, device);
    if (!unit)
        return INVALID_DEVICE;
    struct visible *visible = &visibles[device];
    if (!visible->retained) {
        read_contexts(&machine);
        if (!is_open(&machine, unit))
            return DEVICE_UNAVAILABLE;
        if (CONTEXT_BYTES > free_memory(&machine, unit))
            return OUT_OF_MEMORY;
        if (machine.handles && !visible->context.handle)
            open_handle(unit->device);
        /* Like that of the real driver, it stays open when the context is released. */
        visible->context.handle |= machine.handles;
        visible->context.bytes = CONTEXT_BYTES;
    }
    visible->retained++;
    record_contexts();
    *context = visible;
    return OK;
}

API int cuDevicePrimaryCtxRelease_v2(int device) {
    BEGIN(true);
    if (!unit_at(&machine, device))
        return INVALID_DEVICE;
    struct visible *visible = &visibles[device];
    if (!visible->retained)
        return INVALID_CONTEXT;
    if (!--visible->retained)
        remove_allocations(visible);
    record_contexts();
    return OK;
}

API int cuCtxSetCurrent(void *context) {
    BEGIN(true);
    current = context;
    return OK;
}

API int cuCtxSynchronize(void) {
    BEGIN_CONTEXT;
    while (is_spinning)
        pause();
    return OK;
}

API int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
    BEGIN_CONTEXT;
    const struct unit *unit = unit_of(&machine, current);
    if (!bytes)
        return INVALID_VALUE;
    read_contexts(&machine);
    if (!unit || bytes > free_memory(&machine, unit) || !(*address = add_allocation(current, bytes)))
        return OUT_OF_MEMORY;
    current->context.bytes += bytes;
    record_contexts();
    return OK;
}

API int cuMemFree_v2(unsigned long long address) {
    BEGIN_CONTEXT;
    struct allocation *allocation = find_allocation(address);
    if (!allocation)
        return address ? INVALID_VALUE : OK;
    struct visible *owner = allocation->owner;
    owner->context.bytes -= allocation->bytes;
    remove_allocation(allocation);
    record_contexts();
    return OK;
}

API int cuMemcpyHtoD_v2(unsigned long long target, const void *source, size_t bytes) {
    BEGIN_CONTEXT;
    char *kept = kept_bytes(target, bytes);
    if (!kept)
        return INVALID_VALUE;
    memcpy(kept, source, bytes);
    return OK;
}

API int cuMemcpyDtoH_v2(void *target, unsigned long long source, size_t bytes) {
    BEGIN_CONTEXT;
    const char *kept = kept_bytes(source, bytes);
    if (!kept)
        return INVALID_VALUE;
    memcpy(target, kept, bytes);
    return OK;
}

API int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    BEGIN_CONTEXT;
    const struct unit *unit = unit_of(&machine, current);
    if (!unit)
        return INVALID_DEVICE;
    read_contexts(&machine);
    *free_bytes = free_memory(&machine, unit);
    *total = unit->total;
    return OK;
}

API int cuModuleLoadData(void **module, const void *image) {
    BEGIN_CONTEXT;
    if (!strstr(image, ".visible .entry "))
        return INVALID_PTX;
    *module = strdup(image);
    return OK;
}

API int cuModuleGetFunction(void **function, void *module, const char *name) {
    BEGIN_CONTEXT;
    static const char before[] = ".visible .entry ";
    for (const char *entry = module; (entry = strstr(entry, before));) {
        entry += strlen(before);
        char after = strncmp(entry, name, strlen(name)) ? '_' : entry[strlen(name)];
        if (!isalnum((unsigned char)after) && after != '_' && after != '$') {
            *function = strdup(name);
            return OK;
        }
    }
    return NOT_FOUND;
}

API int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                       unsigned block_y, unsigned block_z, unsigned shared_bytes, void *stream, void **parameters,
                       void **extra) {
    (void)shared_bytes, (void)stream, (void)parameters, (void)extra;
    BEGIN_CONTEXT;
    if (!function || !grid_x || !grid_y || !grid_z || !block_x || !block_y || !block_z)
        return INVALID_VALUE;
    /* As on a GPU, the launch itself succeeds. */
    is_broken |= strstr(function, "null") != NULL;
    is_spinning |= strstr(function, "spin") != NULL;
    return OK;
}
