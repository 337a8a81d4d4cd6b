/* Primary contexts, and which of them is current in a thread. */
#include "cuda.h"
#include "cuda_memory.h"

enum { EXCLUSIVE_THREAD = 1, PROHIBITED = 2, EXCLUSIVE_PROCESS = 3 };
enum { MAX_PUSHED = 64, LIMIT_BYTES = 1024, LEAST_PRIORITY = 0, GREATEST_PRIORITY = -5 };

__thread struct visible *current;
static __thread struct visible *pushed[MAX_PUSHED];
static __thread int pushed_count;

void record_contexts(void) {
    struct context contexts[MAX_UNITS];
    int count = 0;
    for (int i = 0; i < visible_count; i++)
        if (visibles[i].retained)
            contexts[count++] = visibles[i].context;
    write_contexts(contexts, count);
}

/* Whether the compute mode of the device allows one more context. */
static bool is_open(const struct machine *machine, const struct unit *unit) {
    if (unit->compute_mode == EXCLUSIVE_THREAD || unit->compute_mode == EXCLUSIVE_PROCESS)
        return !machine->context_bytes[unit - machine->unit];
    return unit->compute_mode != PROHIBITED;
}

API int cuDevicePrimaryCtxRetain(void **context, int device) {
    BEGIN_DEVICE(device);
    struct visible *visible = &visibles[device];
    if (!visible->retained) {
        read_contexts(&machine);
        if (!is_open(&machine, unit))
            return DEVICE_UNAVAILABLE;
        if (CONTEXT_BYTES > free_memory(&machine, unit))
            return OUT_OF_MEMORY;
        if (machine.handles && !visible->context.handle)
            open_handle(&machine, unit->device);
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
    BEGIN_DEVICE(device);
    (void)unit;
    struct visible *visible = &visibles[device];
    if (!visible->retained)
        return INVALID_CONTEXT;
    if (!--visible->retained)
        remove_allocations(visible);
    record_contexts();
    return OK;
}

API int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *is_active) {
    BEGIN_DEVICE(device);
    (void)unit;
    *flags = 0;
    *is_active = visibles[device].retained != 0;
    return OK;
}

API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
    BEGIN_DEVICE(device);
    (void)unit, (void)flags;
    return OK;
}

API int cuCtxSetCurrent(void *context) {
    BEGIN(true);
    current = context;
    return OK;
}

API int cuCtxGetCurrent(void **context) {
    BEGIN(true);
    *context = current;
    return OK;
}

API int cuCtxPushCurrent_v2(void *context) {
    BEGIN(true);
    if (pushed_count == MAX_PUSHED)
        return INVALID_VALUE;
    pushed[pushed_count++] = current;
    current = context;
    return OK;
}

API int cuCtxPopCurrent_v2(void **context) {
    BEGIN(true);
    if (!pushed_count)
        return INVALID_CONTEXT;
    if (context)
        *context = current;
    current = pushed[--pushed_count];
    return OK;
}

API int cuCtxGetDevice(int *device) {
    BEGIN_CONTEXT;
    *device = (int)(current - visibles);
    return OK;
}

API int cuCtxGetApiVersion(void *context, unsigned *version) {
    BEGIN(true);
    (void)context;
    *version = (unsigned)machine.cuda;
    return OK;
}

API int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    BEGIN_CONTEXT;
    if (least)
        *least = LEAST_PRIORITY;
    if (greatest)
        *greatest = GREATEST_PRIORITY;
    return OK;
}

API int cuCtxGetLimit(size_t *value, int limit) {
    BEGIN_CONTEXT;
    (void)limit;
    *value = LIMIT_BYTES;
    return OK;
}

API int cuCtxSynchronize(void) {
    {
        BEGIN_CONTEXT;
    }
    return wait_for_work();
}
