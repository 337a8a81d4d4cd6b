"""The audit of a trial's kernel: what it holds is noted after each cell, and looked for after its death."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from pytest_tfkernel.audit.ledger import EYES, AuditedKernel, Eyes, Ledger, OwnProcesses, baseline
from pytest_tfkernel.audit.own import own_resources
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Audit, Kind, Leak, Resource
from pytest_tfkernel.trials.timeline import Timeline

_PAUSE = 0.01


class KernelWatch:
    """Watches the generations of one kernel. Made before it is, since what existed then isn't its own."""

    def __init__(self, launcher: Launcher, eyes: Eyes = EYES, timeline: Timeline | None = None) -> None:
        self._launcher = launcher
        self._eyes = eyes
        self._timeline = timeline
        self._before = baseline(eyes)
        self._own: frozenset[Resource] = frozenset()
        self._ledgers: dict[ProcessId, Ledger] = {}

    def start(self, spec: KernelSpec) -> Kernel:
        """Start the kernel. Raises KernelStartError or SpecError."""
        kernel = self._launcher.start(spec)
        kernel.witness = self._note
        # What a living kernel takes of pytest it may have as long as it lives.
        self._own = own_resources()
        return kernel

    def _note(self, life: Life, cell: str) -> None:
        if self._timeline is not None:
            self._timeline.reached("cell", life.process)
        self._ledger(life).note(cell)

    def audit(self, life: Life, seconds: float = 1.0) -> Audit:
        """What is left of a generation that has died, when it had up to `seconds` to go away by itself."""
        found = self._ledger(life).audit(seconds)
        own = sorted(self._own_since(seconds), key=lambda resource: resource.name)
        leaks = tuple(Leak(resource, life.lease) for resource in own)
        return dataclasses.replace(found, leaks=found.leaks + leaks)

    def _own_since(self, seconds: float) -> frozenset[Resource]:
        """What pytest's own process holds since, at each look: other threads there open and close files meanwhile."""
        left = own_resources(self._launcher.supervisor.kept.numbers()) - self._own
        for _ in range(int(seconds / _PAUSE)):
            if not left:
                break
            self._eyes.sleep(_PAUSE)
            left &= own_resources(self._launcher.supervisor.kept.numbers())
        return left

    def _ledger(self, life: Life) -> Ledger:
        if life.process not in self._ledgers:
            lent = functools.partial(_is_of_manager, life)
            kernel = AuditedKernel(life.process, life.lease, functools.partial(self._kin, life), life.temporary, lent)
            self._ledgers[life.process] = Ledger(kernel, self._before, self._eyes)
        return self._ledgers[life.process]

    def _kin(self, life: Life) -> OwnProcesses:
        members, doubtful = self._launcher.supervisor.kin(life.lease)
        return OwnProcesses([one.process for one in members], [one.process for one in doubtful])


def _is_of_manager(life: Life, resource: Resource) -> bool:
    """Whether it is one of the sockets through which a manager talks to its kernel: it removes them with the next."""
    return life.is_managed and resource.kind is Kind.SOCKET and Path(resource.name).parent == life.temporary.parent
