/* A stand-in for libcublas.so.12: float32 products, on the memory of libcuda's stand-in. */
#include "loud.h"

#include <stdlib.h>

enum { SUCCESS = 0, ALLOC_FAILED = 3, INVALID_VALUE = 7 };

/* What is set is what is read again; nothing here asks for it. */
struct handle {
    void *stream;
    int math_mode, pointer_mode, atomics_mode;
};

/* As BLAS has it: columns follow each other, `step` numbers apart; the transposed one is read by rows. */
struct matrix {
    const float *numbers;
    long step;
    int is_transposed;
};

API int cublasCreate_v2(struct handle **handle) {
    *handle = calloc(1, sizeof **handle);
    return *handle ? SUCCESS : ALLOC_FAILED;
}

API int cublasDestroy_v2(struct handle *handle) {
    free(handle);
    return SUCCESS;
}

API int cublasGetVersion_v2(struct handle *handle, int *version) {
    (void)handle;
    *version = 120900;
    return SUCCESS;
}

#define PROPERTY(name, type, member)                              \
    API int cublasSet##name(struct handle *handle, type value) {  \
        handle->member = value;                                   \
        return SUCCESS;                                           \
    }                                                             \
    API int cublasGet##name(struct handle *handle, type *value) { \
        *value = handle->member;                                  \
        return SUCCESS;                                           \
    }

PROPERTY(Stream_v2, void *, stream)
PROPERTY(MathMode, int, math_mode)
PROPERTY(PointerMode_v2, int, pointer_mode)
PROPERTY(AtomicsMode, int, atomics_mode)

API const char *cublasGetStatusString(int status) {
    return status ? "refused by the stand-in" : "CUBLAS_STATUS_SUCCESS";
}

API const char *cublasGetStatusName(int status) {
    return cublasGetStatusString(status);
}

/* column = product of the left matrix with one column of the right one. */
static void multiply(float *column, int rows, int inner, struct matrix left, struct matrix right, long at) {
    for (int i = 0; i < rows; i++)
        column[i] = 0;
    for (long l = 0; l < inner; l++) {
        float factor = right.is_transposed ? right.numbers[at + l * right.step] : right.numbers[l + at * right.step];
        for (long i = 0; i < rows; i++)
            column[i] += factor * (left.is_transposed ? left.numbers[l + i * left.step] : left.numbers[i + l * left.step]);
    }
}

API int cublasSgemm_v2(struct handle *handle, int left_operation, int right_operation, int rows, int columns, int inner,
                       const float *factor, const float *left, int left_step, const float *right, int right_step,
                       const float *old_factor, float *result, int result_step) {
    if (!handle || rows < 0 || columns < 0 || inner < 0)
        return INVALID_VALUE;
    struct matrix first = {left, left_step, left_operation}, second = {right, right_step, right_operation};
    float *column = malloc(sizeof *column * (size_t)(rows ? rows : 1));
    if (!column)
        return ALLOC_FAILED;
    for (long j = 0; j < columns; j++) {
        float *target = result + j * result_step;
        multiply(column, rows, inner, first, second, j);
        /* What is multiplied by 0 isn't read: it may be nothing yet. */
        for (int i = 0; i < rows; i++)
            target[i] = *factor * column[i] + (*old_factor != 0 ? *old_factor * target[i] : 0);
    }
    free(column);
    return SUCCESS;
}
