/* The devices that CUDA_VISIBLE_DEVICES lets this process see. */
#include "cuda.h"

#include <stdlib.h>
#include <string.h>

struct visible visibles[MAX_UNITS];
int visible_count;

/* Of a GPU in MIG mode, its first instance is what CUDA sees. */
static const struct unit *usable(const struct machine *machine, const struct unit *unit) {
    return unit && unit->mig == MIG_ON ? find_unit(machine, unit->device, 0) : unit;
}

/* The one device that an entry of CUDA_VISIBLE_DEVICES names: an index, a UUID or its beginning. */
static const struct unit *named(const struct machine *machine, const char *entry) {
    const struct unit *found = NULL;
    char *end;
    long index = strtol(entry, &end, 10);
    if (end != entry && !*end)
        return index >= 0 ? usable(machine, find_unit(machine, (int)index, -1)) : NULL;
    if (strncmp(entry, "GPU-", 4) && strncmp(entry, "MIG-", 4))
        return NULL;
    for (int i = 0; i < machine->units; i++)
        if (!strncmp(machine->unit[i].uuid, entry, strlen(entry))) {
            if (found)
                return NULL;
            found = &machine->unit[i];
        }
    return usable(machine, found);
}

static void add_visible(const struct unit *unit) {
    visibles[visible_count++] = (struct visible){{unit->device, unit->instance, 0, false}, 0};
}

void choose_visible(const struct machine *machine) {
    const char *wanted = getenv("CUDA_VISIBLE_DEVICES");
    visible_count = 0;
    for (int i = 0; !wanted && i < machine->devices; i++) {
        const struct unit *unit = usable(machine, find_unit(machine, i, -1));
        if (unit)
            add_visible(unit);
    }
    char *entries = strdup(wanted ? wanted : ""), *rest = NULL;
    for (char *entry = strtok_r(entries, ",", &rest); entry; entry = strtok_r(NULL, ",", &rest)) {
        const struct unit *unit = named(machine, entry);
        /* The first entry that names nothing ends the list. */
        if (!unit || visible_count == MAX_UNITS)
            break;
        add_visible(unit);
    }
    free(entries);
}
