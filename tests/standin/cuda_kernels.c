/* What the "GPU" can compute: the kernels of our own PTX, and those of TensorFlow that the suite needs, of float32 only.
   A kernel is known by its name, which for a C++ template has the types in it. */
#include "cuda.h"
#include "loud.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef unsigned long long Address;

static Address word(void **parameters, int index) {
    return *(Address *)parameters[index];
}

static float *floats(void **parameters, int index) {
    return (float *)(uintptr_t)word(parameters, index);
}

/* AddV2 of two scalars, as MLIR has generated it: the number of elements, then for each operand two pointers, an offset,
   sizes and strides. One of more elements would need the sizes, too. */
static int add_scalars(void **parameters) {
    enum { COUNT = 0, FIRST = 2, SECOND = 5, SUM = 10 };
    if (word(parameters, COUNT) != 1)
        return unknown("AddV2 of more than one number", NOT_SUPPORTED);
    *floats(parameters, SUM) = *floats(parameters, FIRST) + *floats(parameters, SECOND);
    return OK;
}

/* Eigen's assignment of one value to all elements: the evaluator, and how many. */
static int fill(void **parameters) {
    const struct {
        float *target;
        int size, unused_1;
        void *unused_2;
        const float *value;
    } *evaluator = parameters[0];
    int count = *(int *)parameters[1];
    for (int i = 0; i < count; i++)
        evaluator->target[i] = *evaluator->value;
    return OK;
}

enum reduction { SUM, MIN, MAX };

static float reduce_two(enum reduction reduction, float first, float second) {
    if (reduction == SUM || isnan(first) || isnan(second))
        return first + second;
    return (reduction == MIN) == (first < second) ? first : second;
}

static float reduce(enum reduction reduction, const float *numbers, size_t count) {
    float result = reduction == SUM ? 0 : reduction == MIN ? INFINITY : -INFINITY;
    for (size_t i = 0; i < count; i++)
        result = reduce_two(reduction, result, numbers[i]);
    return result;
}

/* CUB's reduction: where from, where to, how many. One block of several has a part of it, and an element of the target. */
static int reduce_parts(enum reduction reduction, void **parameters, unsigned blocks) {
    const float *source = floats(parameters, 0);
    float *target = floats(parameters, 1);
    size_t count = *(unsigned *)parameters[2], part = (count + blocks - 1) / blocks;
    for (size_t block = 0; block < blocks; block++) {
        size_t from = block * part < count ? block * part : count;
        target[block] = reduce(reduction, source + from, from + part < count ? part : count - from);
    }
    return OK;
}

/* The same by one block, which begins with a value. */
static int reduce_all(enum reduction reduction, void **parameters) {
    enum { INITIAL = 4 };
    float begun = *(float *)parameters[INITIAL], *target = floats(parameters, 1);
    *target = reduce_two(reduction, begun, reduce(reduction, floats(parameters, 0), *(unsigned *)parameters[2]));
    return OK;
}

static int run_reduction(const char *name, void **parameters, unsigned blocks) {
    bool is_min = strstr(name, "15MinPropagateNaN"), is_max = strstr(name, "15MaxPropagateNaN");
    enum reduction reduction = is_min ? MIN : is_max ? MAX : SUM;
    if (!is_min && !is_max && !strstr(name, "3SumIfE"))
        return unknown(name, NOT_SUPPORTED);
    if (strstr(name, "18DeviceReduceKernel"))
        return reduce_parts(reduction, parameters, blocks);
    return strstr(name, "28DeviceReduceSingleTileKernel") ? reduce_all(reduction, parameters) : unknown(name, NOT_SUPPORTED);
}

/* Philox4x32 of ten rounds: four words for each value of the counter. */
static void draw(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]) {
    uint32_t low = key[0], high = key[1];
    memcpy(words, counter, 4 * sizeof *words);
    for (int round = 0; round < 10; round++) {
        uint64_t even = (uint64_t)0xD2511F53 * words[0], odd = (uint64_t)0xCD9E8D57 * words[2];
        uint32_t next[4] = {(uint32_t)(odd >> 32) ^ words[1] ^ low, (uint32_t)odd,
                            (uint32_t)(even >> 32) ^ words[3] ^ high, (uint32_t)even};
        memcpy(words, next, sizeof next);
        low += 0x9E3779B9;
        high += 0xBB67AE85;
    }
}

/* Uniform numbers from 0 to 1: two pointers to key and counter, or the generator itself; where to, and how many. */
static int fill_at_random(void **parameters) {
    enum { KEY = 0, GENERATOR = 2, TARGET = 3, COUNT = 4 };
    if (word(parameters, KEY))
        return unknown("random numbers from a state in memory", NOT_SUPPORTED);
    const uint32_t *generator = parameters[GENERATOR];
    uint32_t counter[4], words[4];
    memcpy(counter, generator, sizeof counter);
    for (Address i = 0; i < word(parameters, COUNT); i++) {
        if (i % 4 == 0) {
            draw(counter, generator + 4, words);
            for (int part = 0; part < 4 && !++counter[part]; part++)
                ;
        }
        /* The upper half of the numbers from 1 to 2 has the same exponent as the lower one. */
        uint32_t bits = 0x3F800000 | (words[i % 4] & 0x7FFFFF);
        float number;
        memcpy(&number, &bits, sizeof number);
        floats(parameters, TARGET)[i] = number - 1;
    }
    return OK;
}

static const char FILL_KERNEL[] =
    "_ZN5Eigen8internal15EigenMetaKernelINS_15TensorEvaluatorIKNS_14TensorAssignOpINS_9TensorMapINS_6TensorIfLi1ELi1EiEELi16E"
    "NS_11MakePointerEEEKNS_20TensorCwiseNullaryOpINS0_15scalar_const_opIfEEKS8_EEEENS_9GpuDeviceEEEiEEvT_T0_";

/* As on a GPU, a launch succeeds whatever the kernel does then. */
int run_kernel(const char *name, void **parameters, unsigned blocks) {
    if (!strcmp(name, "store_to_null") || !strcmp(name, "store_null"))
        is_broken = true;
    else if (!strcmp(name, "spin"))
        is_spinning = true;
    else if (!strcmp(name, "AddV2_GPU_DT_FLOAT_DT_FLOAT_kernel"))
        return add_scalars(parameters);
    else if (!strcmp(name, FILL_KERNEL))
        return fill(parameters);
    else if (strstr(name, "28FillPhiloxRandomKernelLaunch") && strstr(name, "19UniformDistribution") && strstr(name, "PhiloxRandomEfEE"))
        return fill_at_random(parameters);
    else if (strstr(name, "N3cub") && strstr(name, "DeviceReduce"))
        return run_reduction(name, parameters, blocks);
    else
        return unknown(name, NOT_SUPPORTED);
    return OK;
}
