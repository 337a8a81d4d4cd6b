"""Probes: readers of one kind of resource each, in the order in which their finds are reported."""

from pytest_tfkernel.audit.probes.base import Look, Probe
from pytest_tfkernel.audit.probes.devices import Devices
from pytest_tfkernel.audit.probes.files import Files
from pytest_tfkernel.audit.probes.locks import Locks
from pytest_tfkernel.audit.probes.processes import Processes
from pytest_tfkernel.audit.probes.segments import Segments
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.audit.probes.sockets import Sockets

PROBES: tuple[Probe, ...] = (
    Processes(),
    Devices(),
    SharedMemory(),
    Segments(),
    Sockets(),
    Locks(),
    Files(),
)

__all__ = ["PROBES", "Look", "Probe"]
