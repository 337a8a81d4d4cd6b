/* Modules and functions: of an image with machine code every name is a function, of PTX those that are in it. */
#define _GNU_SOURCE
#include "cuda.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* How an image begins that isn't PTX: an ELF file, a fat binary, and its wrapper in a program. */
enum { ELF = 0x464c457f, FAT = (int)0xba55ed50, FAT_IN_PROGRAM = 0x466243b1 };
enum { LAZY = 2 };
enum { MAX_THREADS_PER_BLOCK = 0, NUM_REGS = 4, BINARY_VERSION = 6 };

struct module {
    char *ptx; /* NULL: machine code. */
};

API int cuModuleLoadData(void **module, const void *image) {
    BEGIN_CONTEXT;
    int magic;
    memcpy(&magic, image, sizeof magic);
    bool is_code = magic == ELF || magic == FAT || magic == FAT_IN_PROGRAM;
    if (!is_code && !strstr(image, ".visible .entry "))
        return INVALID_PTX;
    struct module *made = malloc(sizeof *made);
    if (!made)
        return OUT_OF_MEMORY;
    made->ptx = is_code ? NULL : strdup(image);
    *module = made;
    return OK;
}

API int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
    (void)count, (void)options, (void)values;
    return cuModuleLoadData(module, image);
}

API int cuModuleLoadFatBinary(void **module, const void *image) {
    return cuModuleLoadData(module, image);
}

API int cuModuleGetLoadingMode(int *mode) {
    BEGIN(false);
    *mode = LAZY;
    return OK;
}

API int cuModuleUnload(void *module) {
    BEGIN(true);
    (void)module;
    return OK;
}

static bool has_entry(const char *ptx, const char *name) {
    static const char before[] = ".visible .entry ";
    for (const char *entry = ptx; (entry = strstr(entry, before));) {
        entry += strlen(before);
        char after = strncmp(entry, name, strlen(name)) ? '_' : entry[strlen(name)];
        if (!isalnum((unsigned char)after) && after != '_' && after != '$')
            return true;
    }
    return false;
}

API int cuModuleGetFunction(void **function, void *module, const char *name) {
    BEGIN_CONTEXT;
    const struct module *loaded = module;
    if (loaded->ptx && !has_entry(loaded->ptx, name))
        return NOT_FOUND;
    *function = strdup(name);
    return *function ? OK : OUT_OF_MEMORY;
}

API int cuFuncGetAttribute(int *value, int attribute, void *function) {
    BEGIN_CONTEXT;
    (void)function;
    *value = attribute == MAX_THREADS_PER_BLOCK ? 1024 : attribute == NUM_REGS ? 32 : attribute == BINARY_VERSION ? 90 : 0;
    return OK;
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, void *function, int size, size_t shared,
                                                             unsigned flags) {
    BEGIN_CONTEXT;
    (void)function, (void)size, (void)shared, (void)flags;
    *blocks = 2;
    return OK;
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int size, size_t shared) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, size, shared, 0);
}

API int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                       unsigned block_y, unsigned block_z, unsigned shared_bytes, void *stream, void **parameters,
                       void **extra) {
    (void)shared_bytes, (void)stream, (void)extra;
    BEGIN_CONTEXT;
    if (!function || !grid_x || !grid_y || !grid_z || !block_x || !block_y || !block_z)
        return INVALID_VALUE;
    return run_kernel(function, parameters, grid_x * grid_y * grid_z);
}
