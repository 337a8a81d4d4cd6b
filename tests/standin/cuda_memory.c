/* The device memory of a process: addresses that are numbers, and the first bytes of what they point to. */
#include "cuda_memory.h"

/* As with the real driver, the first address is the same in each process. */
static unsigned long long next_address = 0x7f0000000000;
static struct allocation allocations[MAX_ALLOCATIONS];
static int count;

unsigned long long add_allocation(void *owner, unsigned long long bytes) {
    if (count == MAX_ALLOCATIONS)
        return 0;
    unsigned long long address = next_address;
    next_address += (bytes + 511) / 512 * 512;
    allocations[count++] = (struct allocation){address, bytes, owner, {0}};
    return address;
}

struct allocation *find_allocation(unsigned long long address) {
    for (int i = 0; i < count; i++)
        if (allocations[i].address == address)
            return &allocations[i];
    return NULL;
}

void remove_allocation(struct allocation *allocation) {
    *allocation = allocations[--count];
}

void remove_allocations(void *owner) {
    for (int i = count - 1; i >= 0; i--)
        if (allocations[i].owner == owner)
            remove_allocation(&allocations[i]);
}

char *kept_bytes(unsigned long long address, size_t bytes) {
    for (int i = 0; i < count; i++) {
        unsigned long long from = address - allocations[i].address;
        unsigned long long end = allocations[i].bytes < KEPT_BYTES ? allocations[i].bytes : KEPT_BYTES;
        if (address >= allocations[i].address && from <= end && bytes <= end - from)
            return allocations[i].kept + from;
    }
    return NULL;
}
