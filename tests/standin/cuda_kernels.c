/* What the "GPU" can compute: the kernels of our own PTX, and TensorFlow's sum of two numbers. */
#include "cuda.h"
#include "loud.h"

#include <stdint.h>
#include <string.h>

typedef unsigned long long Address;

/* The parameters of a kernel that MLIR has generated: for each operand two pointers, offset, sizes and strides. */
enum { COUNT = 0, FIRST = 2, SECOND = 5, SUM = 10 };

static Address word(void **parameters, int index) {
    return *(Address *)parameters[index];
}

static float *floats(void **parameters, int index) {
    return (float *)(uintptr_t)word(parameters, index);
}

/* AddV2 of two float32 scalars; a kernel of more would need the sizes, too. */
static int add_scalars(void **parameters) {
    if (word(parameters, COUNT) != 1)
        return unknown("AddV2 of more than one number", NOT_SUPPORTED);
    *floats(parameters, SUM) = *floats(parameters, FIRST) + *floats(parameters, SECOND);
    return OK;
}

/* As on a GPU, a launch succeeds whatever the kernel does then. */
int run_kernel(const char *name, void **parameters) {
    if (!strcmp(name, "AddV2_GPU_DT_FLOAT_DT_FLOAT_kernel"))
        return add_scalars(parameters);
    if (!strcmp(name, "store_to_null") || !strcmp(name, "store_null"))
        is_broken = true;
    else if (!strcmp(name, "spin"))
        is_spinning = true;
    else
        return unknown(name, NOT_SUPPORTED);
    return OK;
}
