"""Open handles of devices: whoever holds one of a GPU keeps its CUDA context alive."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

# NVIDIA's, those of AMD, and that of WSL2.
GPUS = re.compile(r"/dev/(nvidia|kfd|dri/renderD|dxg)")


class Devices:
    """See `Probe`. `pattern` matches the beginning of a device's path."""

    def __init__(self, pattern: re.Pattern[str] = GPUS) -> None:
        self._pattern = pattern

    def existing(self, _: Table) -> Iterator[Key]:
        """A handle is always somebody's."""
        return iter(())

    def held(self, look: Look) -> Iterator[Resource]:
        """The devices that members have open, each once a process."""
        seen = set()
        for link in look.table.links(look.members):
            if self._pattern.match(link.target) and (link.process, link.target) not in seen:
                seen.add((link.process, link.target))
                holder = look.table.holder(link.process)
                yield Resource(Kind.DEVICE, link.target, f"{link.process.pid}@{link.process.start_time}", (holder,))

    def persists(self, _: Table, __: Resource) -> bool:
        """A handle that no member holds is closed."""
        return False
