"""Which container a process is in, by the names of its cgroups."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Docker, containerd, Podman and CRI-O all name a container by 64 hex digits, alone or in names such as
# `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`.
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def container_of(cgroups: Iterable[str]) -> str:
    """The id in the lines of /proc/PID/cgroup, the innermost where there are several; empty where there is none."""
    ids = [found for line in cgroups for found in _ID.findall(line)]
    return str(ids[-1]) if ids else ""
