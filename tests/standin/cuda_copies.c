/* Allocating, copying and filling memory of devices, and memory of the host that devices can read. */
#define _GNU_SOURCE
#include "cuda.h"
#include "cuda_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, OF_HOST = 1, OF_DEVICE = 2 };
/* CUpointer_attribute. */
enum { MEMORY_TYPE = 2, DEVICE_POINTER = 3, HOST_POINTER = 4, DEVICE_ORDINAL = 9 };

typedef unsigned long long Address;

API int cuMemAlloc_v2(Address *address, size_t bytes) {
    BEGIN_CONTEXT;
    const struct unit *unit = unit_of(&machine, current);
    if (!bytes)
        return INVALID_VALUE;
    read_contexts(&machine);
    if (bytes > free_memory(&machine, unit) || !(*address = add_allocation(current, bytes)))
        return OUT_OF_MEMORY;
    current->context.bytes += bytes;
    record_contexts();
    return OK;
}

API int cuMemFree_v2(Address address) {
    BEGIN_CONTEXT;
    struct allocation *allocation = find_allocation(address, 0);
    if (!address)
        return OK;
    if (!allocation || allocation->address != address)
        return INVALID_VALUE;
    struct visible *owner = allocation->owner;
    owner->context.bytes -= allocation->bytes;
    remove_allocation(allocation);
    record_contexts();
    return OK;
}

API int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    BEGIN_CONTEXT;
    const struct unit *unit = unit_of(&machine, current);
    read_contexts(&machine);
    *free_bytes = free_memory(&machine, unit);
    *total = unit->total;
    return OK;
}

API int cuMemGetAddressRange_v2(Address *base, size_t *bytes, Address address) {
    BEGIN_CONTEXT;
    const struct allocation *allocation = find_allocation(address, 1);
    if (!allocation)
        return NOT_FOUND;
    if (base)
        *base = allocation->address;
    if (bytes)
        *bytes = allocation->bytes;
    return OK;
}

API int cuPointerGetAttribute(void *value, int attribute, Address address) {
    BEGIN_CONTEXT;
    const struct allocation *allocation = find_allocation(address, 1);
    if (attribute == MEMORY_TYPE)
        *(unsigned *)value = allocation ? OF_DEVICE : OF_HOST;
    else if (attribute == DEVICE_ORDINAL && allocation)
        *(int *)value = (int)((struct visible *)allocation->owner - visibles);
    else if (attribute == DEVICE_POINTER || (attribute == HOST_POINTER && !allocation))
        *(Address *)value = address;
    else
        return INVALID_VALUE;
    return OK;
}

API int cuMemHostAlloc(void **pages, size_t bytes, unsigned flags) {
    BEGIN_CONTEXT;
    (void)flags;
    *pages = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
    return *pages ? OK : OUT_OF_MEMORY;
}

API int cuMemFreeHost(void *pages) {
    BEGIN(true);
    free(pages);
    return OK;
}

API int cuMemHostGetDevicePointer_v2(Address *address, void *pages, unsigned flags) {
    BEGIN_CONTEXT;
    (void)flags;
    *address = (Address)(uintptr_t)pages;
    return OK;
}

API int cuMemHostRegister_v2(void *pages, size_t bytes, unsigned flags) {
    BEGIN_CONTEXT;
    (void)pages, (void)bytes, (void)flags;
    return OK;
}

API int cuMemHostUnregister(void *pages) {
    BEGIN_CONTEXT;
    (void)pages;
    return OK;
}

/* What the caller says of an address is checked where it can be: memory of a device is ours. */
#define COPY(name, target_type, source_type, is_bad)                         \
    API int name(target_type target, source_type source, size_t bytes) {     \
        BEGIN_CONTEXT;                                                       \
        if (is_bad)                                                          \
            return INVALID_VALUE;                                            \
        memmove((void *)(uintptr_t)target, (void *)(uintptr_t)source, bytes); \
        return OK;                                                           \
    }
#define COPY_ASYNC(name, done_at_once, target_type, source_type)                        \
    API int name(target_type target, source_type source, size_t bytes, void *stream) { \
        (void)stream;                                                                   \
        return done_at_once(target, source, bytes);                                     \
    }

COPY(cuMemcpyHtoD_v2, Address, const void *, !find_allocation(target, bytes))
COPY(cuMemcpyDtoH_v2, void *, Address, !find_allocation(source, bytes))
COPY(cuMemcpyDtoD_v2, Address, Address, !find_allocation(target, bytes) || !find_allocation(source, bytes))
COPY(cuMemcpy, Address, Address, !target || !source)
COPY_ASYNC(cuMemcpyHtoDAsync_v2, cuMemcpyHtoD_v2, Address, const void *)
COPY_ASYNC(cuMemcpyDtoHAsync_v2, cuMemcpyDtoH_v2, void *, Address)
COPY_ASYNC(cuMemcpyDtoDAsync_v2, cuMemcpyDtoD_v2, Address, Address)
COPY_ASYNC(cuMemcpyAsync, cuMemcpy, Address, Address)

#define FILL(name, type)                                     \
    API int name(Address target, type value, size_t count) { \
        BEGIN_CONTEXT;                                       \
        if (!find_allocation(target, count * sizeof value))  \
            return INVALID_VALUE;                            \
        for (size_t i = 0; i < count; i++)                   \
            ((type *)(uintptr_t)target)[i] = value;          \
        return OK;                                           \
    }
#define FILL_ASYNC(name, done_at_once, type)                               \
    API int name(Address target, type value, size_t count, void *stream) { \
        (void)stream;                                                      \
        return done_at_once(target, value, count);                         \
    }

FILL(cuMemsetD8_v2, unsigned char)
FILL(cuMemsetD32_v2, unsigned)
FILL_ASYNC(cuMemsetD8Async, cuMemsetD8_v2, unsigned char)
FILL_ASYNC(cuMemsetD32Async, cuMemsetD32_v2, unsigned)
