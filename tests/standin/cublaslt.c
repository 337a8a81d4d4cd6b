/* A stand-in for libcublasLt.so.12, of which a float32 product needs a handle only. */
#include "loud.h"

#include <stdlib.h>

enum { SUCCESS = 0, ALLOC_FAILED = 3 };

API int cublasLtCreate(void **handle) {
    *handle = malloc(1);
    return *handle ? SUCCESS : ALLOC_FAILED;
}

API int cublasLtDestroy(void *handle) {
    free(handle);
    return SUCCESS;
}
