/* A stand-in for NVIDIA's libcuda.so.1: what the tests and TensorFlow need of the CUDA driver, on the machine that
   machine.h describes.

   A context and its memory are a line in contexts/PID, which the stand-in for NVML shows and counts. Memory of a "GPU"
   is memory of the process. What is launched is done before the launch returns, so streams are always in order; what
   is computed is in cuda_kernels.c. As with the real driver, a fork of a process that has called cuInit can't use it.
   Modules, functions and streams are never given back. */
#define _GNU_SOURCE
#include "cuda.h"
#include "loud.h"

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pid_t initialized_by;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int begin(struct machine *machine, const char *function, bool needs_init) {
    if (!read_machine(machine, function))
        return NO_DEVICE;
    if (machine->error)
        return machine->error;
    if (is_broken)
        return ILLEGAL_ADDRESS;
    /* Before the lock, which another thread may have held at the fork. */
    return needs_init && initialized_by != getpid() ? NOT_INITIALIZED : OK;
}

int enter(void) {
    return pthread_mutex_lock(&lock);
}

void leave(const int *entered) {
    if (!*entered)
        pthread_mutex_unlock(&lock);
}

const struct unit *unit_of(const struct machine *machine, const struct visible *visible) {
    const struct unit *unit = find_unit(machine, visible->context.device, visible->context.instance);
    return unit && !unit->lost ? unit : NULL;
}

const struct unit *unit_at(const struct machine *machine, int ordinal) {
    return ordinal >= 0 && ordinal < visible_count ? unit_of(machine, &visibles[ordinal]) : NULL;
}

API int cuInit(unsigned flags) {
    (void)flags;
    if (initialized_by)
        return initialized_by == getpid() ? OK : NOT_INITIALIZED;
    BEGIN(false);
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
    BEGIN_DEVICE(ordinal);
    *device = ordinal;
    return OK;
}

API int cuDeviceGetName(char *name, int size, int device) {
    BEGIN_DEVICE(device);
    snprintf(name, (size_t)size, "%s", unit->name);
    return OK;
}

API int cuDeviceGetUuid_v2(unsigned char uuid[16], int device) {
    BEGIN_DEVICE(device);
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

API int cuDeviceGetUuid(unsigned char uuid[16], int device) {
    return cuDeviceGetUuid_v2(uuid, device);
}

API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    BEGIN_DEVICE(device);
    *bytes = unit->total;
    return OK;
}

API int cuDeviceGetPCIBusId(char *id, int size, int device) {
    BEGIN_DEVICE(device);
    snprintf(id, (size_t)size, "0000:%02x:00.0", unit->device + 6);
    return OK;
}

/* Those of an H100, by CUdevice_attribute. What isn't here is 0: such a thing can't be done. */
static const struct {
    int attribute, value;
} attributes[] = {
    {1, 1024},      /* Threads per block, */
    {2, 1024},      /* in each direction, */
    {3, 1024},
    {4, 64},
    {5, 2147483647}, /* and blocks per grid. */
    {6, 65535},
    {7, 65535},
    {8, 49152},      /* Shared memory per block, constant memory, threads per warp. */
    {9, 65536},
    {10, 32},
    {11, 2147483647},
    {12, 65536},     /* Registers per block; kHz. */
    {13, 1980000},
    {14, 512},
    {15, 1},         /* Copies while it computes; multiprocessors. */
    {16, 132},
    {19, 1},         /* Maps memory of the host. */
    {31, 1},
    {36, 3201000},   /* Memory: kHz, bits; bytes of the second cache; threads per multiprocessor. */
    {37, 6144},
    {38, 62914560},
    {39, 2048},
    {40, 3},
    {41, 1},         /* One space of addresses. */
    {75, 9},         /* Compute capability 9.0. */
    {78, 1},         /* Streams have priorities. */
    {81, 233472},    /* Shared memory and registers per multiprocessor; per block by wish. */
    {82, 65536},
    {97, 232448},
    {106, 32},       /* Blocks per multiprocessor. */
};

API int cuDeviceGetAttribute(int *value, int attribute, int device) {
    BEGIN_DEVICE(device);
    (void)unit;
    *value = attribute == 33 ? device + 6 : 0; /* The PCI bus. */
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (attributes[i].attribute == attribute)
            *value = attributes[i].value;
    return OK;
}

API int cuDeviceComputeCapability(int *major, int *minor, int device) {
    *minor = 0;
    return cuDeviceGetAttribute(major, 75, device);
}

/* The newest form of a function that there is; of those that aren't stood in for, one that says so. */
API int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *status) {
    static const char *const forms[] = {"%s_v3", "%s_v2", "%s"};
    (void)version, (void)flags;
    Dl_info ours;
    void *library = dladdr(&attributes, &ours) ? dlopen(ours.dli_fname, RTLD_NOLOAD | RTLD_LAZY) : NULL;
    *function = NULL;
    for (size_t i = 0; library && i < sizeof forms / sizeof *forms; i++) {
        char form[TEXT_SIZE];
        snprintf(form, sizeof form, forms[i], name);
        void *found = dlsym(library, form);
        if (found && (!*function || is_loud(*function)))
            *function = found;
    }
    if (library)
        dlclose(library);
    if (status)
        *status = *function ? 0 : 1;
    return *function ? OK : NOT_FOUND;
}

/* Functions between libcudart and libcuda that nobody else may call. A table begins with its size: these are empty. */
API int cuGetExportTable(const void **table, const void *id) {
    static const size_t empty = sizeof empty;
    (void)id;
    *table = &empty;
    return OK;
}
