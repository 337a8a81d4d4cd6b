/* A stand-in for libcudart.so.12, on that of libcuda: which kernels a program has, and launching them by the address of
   their host function. NVIDIA's own needs functions of its driver that have no names.

   The codes of both libraries' errors are the same numbers. A function of libcuda's stand-in is the name of a kernel. */
#include "loud.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, OUT_OF_MEMORY = 2, INVALID_DEVICE_FUNCTION = 98 };
enum { RUNTIME_VERSION = 12090, MAX_DEPTH = 16 };

extern int cuInit(unsigned flags);
extern int cuDriverGetVersion(int *version);
extern int cuDeviceGetCount(int *count);
extern int cuDeviceGetAttribute(int *value, int attribute, int device);
extern int cuDeviceGetName(char *name, int size, int device);
extern int cuDeviceGetUuid_v2(unsigned char uuid[16], int device);
extern int cuDeviceTotalMem_v2(size_t *bytes, int device);
extern int cuCtxGetStreamPriorityRange(int *least, int *greatest);
extern int cuDevicePrimaryCtxRetain(void **context, int device);
extern int cuCtxSetCurrent(void *context);
extern int cuCtxGetDevice(int *device);
extern int cuMemcpyAsync(unsigned long long target, unsigned long long source, size_t bytes, void *stream);
extern int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, void *function, int size, size_t shared,
                                                                unsigned flags);
extern int cuGetErrorName(int code, const char **name);
extern int cuGetErrorString(int code, const char **text);
extern int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                          unsigned block_y, unsigned block_z, unsigned shared_bytes, void *stream, void **parameters,
                          void **extra);

struct size {
    unsigned x, y, z;
};

struct call {
    struct size grid, block;
    size_t shared_bytes;
    void *stream;
};

/* cudaDeviceProp of CUDA 12, as far as anybody here reads it; the rest is 0. */
struct properties {
    char name[256];
    unsigned char uuid[32];
    size_t memory, shared_per_block;
    int registers_per_block, warp, unused_1[2], threads_per_block, threads[3], blocks[3], clock, unused_2[2];
    int major, minor, unused_3[5], multiprocessors, unused_4[58], threads_per_multiprocessor, unused_5[3];
    size_t shared_per_multiprocessor;
    int registers_per_multiprocessor, unused_6[11];
    size_t shared_by_wish;
    int unused_7[82];
};

_Static_assert(offsetof(struct properties, threads_per_block) == 320, "");
_Static_assert(offsetof(struct properties, major) == 360, "");
_Static_assert(offsetof(struct properties, multiprocessors) == 388, "");
_Static_assert(offsetof(struct properties, threads_per_multiprocessor) == 624, "");
_Static_assert(offsetof(struct properties, shared_by_wish) == 696, "");
_Static_assert(sizeof(struct properties) == 1032, "");

static struct registered {
    const void *host;
    const char *name;
} *kernels;
static size_t kernel_count, kernel_room;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct call calls[MAX_DEPTH];
static __thread int depth, last_error;

static int note(int code) {
    if (code)
        last_error = code;
    return code;
}

API void **__cudaRegisterFatBinary(void *image) {
    void **handle = malloc(sizeof *handle);
    *handle = image;
    return handle;
}

API void __cudaRegisterFatBinaryEnd(void **handle) {
    (void)handle;
}

API void __cudaUnregisterFatBinary(void **handle) {
    free(handle);
}

API void __cudaRegisterFunction(void **handle, const void *host, char *device_name, const char *name) {
    (void)handle, (void)device_name;
    pthread_mutex_lock(&lock);
    if (kernel_count == kernel_room) {
        kernel_room = kernel_room ? 2 * kernel_room : 1024;
        kernels = realloc(kernels, kernel_room * sizeof *kernels);
    }
    kernels[kernel_count++] = (struct registered){host, name};
    pthread_mutex_unlock(&lock);
}

API void __cudaRegisterVar(void **handle) {
    (void)handle;
}

static const char *name_of(const void *host) {
    const char *found = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < kernel_count && !found; i++)
        if (kernels[i].host == host)
            found = kernels[i].name;
    pthread_mutex_unlock(&lock);
    return found;
}

/* What a compiled `kernel<<<...>>>(...)` calls: first this, then the host function, which pops it and launches. */
API unsigned __cudaPushCallConfiguration(struct size grid, struct size block, size_t shared_bytes, void *stream) {
    if (depth == MAX_DEPTH)
        return OUT_OF_MEMORY;
    calls[depth++] = (struct call){grid, block, shared_bytes, stream};
    return SUCCESS;
}

API int __cudaPopCallConfiguration(struct size *grid, struct size *block, size_t *shared_bytes, void **stream) {
    if (!depth)
        return INVALID_DEVICE_FUNCTION;
    const struct call *call = &calls[--depth];
    *grid = call->grid, *block = call->block, *shared_bytes = call->shared_bytes, *stream = call->stream;
    return SUCCESS;
}

API int cudaLaunchKernel(const void *host, struct size grid, struct size block, void **parameters, size_t shared_bytes,
                         void *stream) {
    const char *name = name_of(host);
    if (!name)
        return note(INVALID_DEVICE_FUNCTION);
    return note(cuLaunchKernel((void *)name, grid.x, grid.y, grid.z, block.x, block.y, block.z, (unsigned)shared_bytes,
                               stream, parameters, NULL));
}

API int cudaGetFuncBySymbol(void **function, const void *host) {
    *function = (void *)name_of(host);
    return note(*function ? SUCCESS : INVALID_DEVICE_FUNCTION);
}

/* cudaFuncAttributes as far as it is read: cub asks which machine code there is. */
struct attributes {
    size_t shared, constant, local;
    int threads_per_block, registers, ptx_version, binary_version;
};

API int cudaFuncGetAttributes(struct attributes *attributes, const void *host) {
    if (!name_of(host))
        return note(INVALID_DEVICE_FUNCTION);
    *attributes = (struct attributes){.threads_per_block = 1024, .registers = 32, .ptx_version = 90, .binary_version = 90};
    return SUCCESS;
}

API int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *host, int size, size_t shared,
                                                               unsigned flags) {
    const char *name = name_of(host);
    if (!name)
        return note(INVALID_DEVICE_FUNCTION);
    return note(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, (void *)name, size, shared, flags));
}

API int cudaMemcpyAsync(void *target, const void *source, size_t bytes, int kind, void *stream) {
    (void)kind;
    return note(cuMemcpyAsync((uintptr_t)target, (uintptr_t)source, bytes, stream));
}

API int cudaRuntimeGetVersion(int *version) {
    *version = RUNTIME_VERSION;
    return SUCCESS;
}

API int cudaDriverGetVersion(int *version) {
    return note(cuDriverGetVersion(version));
}

API int cudaGetDeviceCount(int *count) {
    int refused = cuInit(0);
    return note(refused ? refused : cuDeviceGetCount(count));
}

API int cudaSetDevice(int device) {
    void *context;
    int refused = cuInit(0);
    if (!refused)
        refused = cuDevicePrimaryCtxRetain(&context, device);
    return note(refused ? refused : cuCtxSetCurrent(context));
}

/* The first one, where no context is current. */
API int cudaGetDevice(int *device) {
    if (cuCtxGetDevice(device))
        *device = 0;
    return SUCCESS;
}

API int cudaDeviceGetAttribute(int *value, int attribute, int device) {
    return note(cuDeviceGetAttribute(value, attribute, device));
}

API int cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
    return note(cuCtxGetStreamPriorityRange(least, greatest));
}

API int cudaGetDeviceProperties_v2(struct properties *properties, int device) {
    memset(properties, 0, sizeof *properties);
    struct {
        int attribute, *value;
    } wanted[] = {
        {1, &properties->threads_per_block},
        {2, &properties->threads[0]},
        {3, &properties->threads[1]},
        {4, &properties->threads[2]},
        {5, &properties->blocks[0]},
        {6, &properties->blocks[1]},
        {7, &properties->blocks[2]},
        {10, &properties->warp},
        {12, &properties->registers_per_block},
        {13, &properties->clock},
        {16, &properties->multiprocessors},
        {39, &properties->threads_per_multiprocessor},
        {75, &properties->major},
        {76, &properties->minor},
        {82, &properties->registers_per_multiprocessor},
    };
    int refused = cuDeviceGetName(properties->name, sizeof properties->name, device);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && !refused; i++)
        refused = cuDeviceGetAttribute(wanted[i].value, wanted[i].attribute, device);
    int shared[3] = {0};
    static const int sizes_of_shared[] = {8, 81, 97};
    for (int i = 0; i < 3 && !refused; i++)
        refused = cuDeviceGetAttribute(&shared[i], sizes_of_shared[i], device);
    properties->shared_per_block = (size_t)shared[0];
    properties->shared_per_multiprocessor = (size_t)shared[1];
    properties->shared_by_wish = (size_t)shared[2];
    if (!refused)
        refused = cuDeviceGetUuid_v2(properties->uuid, device);
    return note(refused ? refused : cuDeviceTotalMem_v2(&properties->memory, device));
}

API int cudaGetLastError(void) {
    int code = last_error;
    last_error = SUCCESS;
    return code;
}

API int cudaPeekAtLastError(void) {
    return last_error;
}

API const char *cudaGetErrorName(int code) {
    const char *name;
    return cuGetErrorName(code, &name) ? "an error that isn't stood in for" : name;
}

API const char *cudaGetErrorString(int code) {
    const char *text;
    return cuGetErrorString(code, &text) ? "an error that isn't stood in for" : text;
}
