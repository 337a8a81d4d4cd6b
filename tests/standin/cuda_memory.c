/* The device memory of a process: pages of its own, which cost nothing until they are written. */
#define _GNU_SOURCE
#include "cuda_memory.h"

#include <sys/mman.h>

/* As with the real driver, the first address is the same in each process; Linux places nothing there by itself. */
static unsigned long long next_address = 0x200000000000;
static struct allocation allocations[MAX_ALLOCATIONS];
static int count;

unsigned long long add_allocation(void *owner, unsigned long long bytes) {
    if (count == MAX_ALLOCATIONS)
        return 0;
    unsigned long long whole = (bytes + 4095) / 4096 * 4096;
    void *pages = mmap((void *)next_address, whole, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (pages == MAP_FAILED)
        return 0;
    /* Memory of a GPU is in no core file, and no child has it. */
    madvise(pages, whole, MADV_DONTDUMP);
    madvise(pages, whole, MADV_DONTFORK);
    next_address += whole;
    allocations[count++] = (struct allocation){(unsigned long long)pages, bytes, owner};
    return (unsigned long long)pages;
}

struct allocation *find_allocation(unsigned long long address, size_t bytes) {
    for (int i = 0; i < count; i++) {
        unsigned long long from = address - allocations[i].address;
        if (address >= allocations[i].address && from <= allocations[i].bytes && bytes <= allocations[i].bytes - from)
            return &allocations[i];
    }
    return NULL;
}

void remove_allocation(struct allocation *allocation) {
    munmap((void *)allocation->address, (allocation->bytes + 4095) / 4096 * 4096);
    *allocation = allocations[--count];
}

void remove_allocations(void *owner) {
    for (int i = count - 1; i >= 0; i--)
        if (allocations[i].owner == owner)
            remove_allocation(&allocations[i]);
}
