"""Who is on the GPUs: NVML's lists, joined with what /proc says of processes and of devices that they hold open."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.doctor.containers import container_of
from pytest_tfkernel.doctor.findings import Listing, Occupancy, Occupant, Role
from pytest_tfkernel.doctor.site import Site
from pytest_tfkernel.model.gpus import Reading
from pytest_tfkernel.model.resources import Kind

# They hold devices open for as long as they live, and have no context. docs/runners.md lists them.
DAEMONS = (
    "nvidia-persistenced",
    "nvidia-powerd",
    "nvidia-smi",
    "nv-hostengine",
    "nv-fabricmanager",
    "dcgm-exporter",
    "nvidia-device-plugin",
    "gpu-feature-discovery",
)
# What the Linux kernel keeps of the name of a program.
_NAME_BYTES = 15


def occupancy(reading: Reading, site: Site) -> Occupancy:
    """Everybody on the GPUs of a reading, those listed by NVML first."""
    table = Table(site.proc)
    scan = _Scan(table, site)
    listings: dict[int, list[Listing]] = {}
    divided = {gpu.parent for gpu in reading.gpus}
    for gpu in reading.gpus:
        # The list of a GPU that is divided repeats those of its instances, which are listed too.
        for process in () if gpu.uuid in divided else gpu.processes or ():
            pid = _leader(table, process.pid)
            listings.setdefault(pid, []).append(Listing(gpu.uuid, process.memory, process.kind))
    devices = dict(scan.devices())
    ours = {os.getpid()} | {entry.process.pid for entry in table.below(os.getpid())}
    found = [
        _occupant(scan, pid, tuple(listings.get(pid, ())), devices.get(pid, ()), is_ours=pid in ours)
        for pid in dict.fromkeys([*listings, *devices])
    ]
    return Occupancy(tuple(found), scan.unreadable)


def _leader(table: Table, pid: int) -> int:
    """The process of a thread: some drivers list threads, which /proc doesn't list but knows."""
    if pid in table.entries:
        return pid
    group = _status(table, pid).get("Tgid", "")
    return int(group) if group.isdigit() else pid


def _occupant(
    scan: _Scan, pid: int, listings: tuple[Listing, ...], devices: tuple[str, ...], *, is_ours: bool
) -> Occupant:
    table = scan.table
    entry = table.entries.get(pid)
    if entry is None:
        return Occupant(pid, known=False, absence=scan.site.whereabouts(pid), listings=listings, devices=devices)
    holder = table.holder(entry.process)
    status = _status(table, pid)
    role = Role.OURS if is_ours else Role.USER
    # One that is listed has a context, whatever its name is.
    if role is Role.USER and not listings and _is_daemon(status.get("Name", ""), holder.command):
        role = Role.DAEMON
    return Occupant(
        pid,
        command=holder.command,
        user=_user(status.get("Uid", "")),
        container=container_of(table.lines(f"{pid}/cgroup", Kind.PROCESS)),
        age=holder.age,
        role=role,
        listings=listings,
        devices=devices,
    )


def _is_daemon(name: str, command: str) -> bool:
    # The name is cut, the command line may be of an interpreter or a wrapper.
    program = os.path.basename(command.partition(" ")[0])  # noqa: PTH119 - it may be anything
    return any(name == daemon[:_NAME_BYTES] or program == daemon for daemon in DAEMONS)


def _status(table: Table, pid: int) -> dict[str, str]:
    lines = (line.partition(":") for line in table.lines(f"{pid}/status", Kind.PROCESS))
    return {name: text.strip() for name, _, text in lines}


def _user(uids: str) -> str:
    """The name of the real one of the four ids in /proc/PID/status, or its number."""
    words = uids.split()
    if not words:
        return ""
    try:
        return pwd.getpwuid(int(words[0])).pw_name
    except (KeyError, OverflowError, ValueError):
        return words[0]


@dataclass
class _Scan:
    """The devices that processes hold open, and how many processes could not be looked at."""

    table: Table
    site: Site
    unreadable: int = 0

    def devices(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The pids of holders, and the paths."""
        for entry in self.table.entries.values():
            found = dict.fromkeys(target for target in self._targets(entry) if self.site.is_device(target))
            if found:
                yield entry.process.pid, tuple(sorted(found))

    def _targets(self, entry: Entry) -> Iterator[str]:
        if entry.is_dead:
            # What its other threads hold, if it has any.
            yield from (link.target for link in self.table.links([entry]))
            return
        # Threads share their files: one of them speaks for all, and a server has thousands.
        folder = self.table.root / str(entry.process.pid) / "fd"
        try:
            names = os.listdir(folder)  # noqa: PTH208 - no path is made of most of them
        except (FileNotFoundError, ProcessLookupError):
            return
        except OSError:
            self.unreadable += 1
            return
        yield from (target for target in (_target(folder, name) for name in names) if target)


def _target(folder: Path, name: str) -> str:
    try:
        return os.readlink(f"{folder}/{name}")  # noqa: PTH115 - it may be no path
    except OSError:
        return ""  # closed by now
