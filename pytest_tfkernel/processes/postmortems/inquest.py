"""What is gathered while a process lives, so that its death can be explained."""

from __future__ import annotations

import signal
from collections.abc import Callable

from pytest_tfkernel._child.kernel import CHANNEL_LOST
from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.processes.postmortems.causes import ended_by_itself, judge
from pytest_tfkernel.processes.postmortems.deaths import Death
from pytest_tfkernel.processes.postmortems.sent import Sent
from pytest_tfkernel.processes.postmortems.victims import Victim, Victims

_LOST = "its channel was closed in the cell: a cell must not close descriptors that it did not open"
_DOUBT = "the OOM killer took it or a process that it had started, and which of them isn't known"


class Inquest:
    """Of one process: the signals that we sent it, and whom the OOM killer took in its cgroup.

    `has_killed_orphans(since)` says whether an orphan has died since then of a SIGKILL that wasn't ours.
    """

    def __init__(self, sent: Sent, victims: Victims, has_killed_orphans: Callable[[float], bool]) -> None:
        self.sent = sent
        self.victims = victims
        self._has_killed_orphans = has_killed_orphans
        self._victim: Victim | None = None

    def hold(
        self, death: Death | None, note: str, elegy: Callable[[], str], *, deadline: bool
    ) -> tuple[Cause, Killer, str]:
        """Cause, killer, and what else a person must know; the same again for one that was interrupted.

        `note` says why we meant to end it, if we did, and `elegy` what its host has to do with it.
        """
        if death is None:
            return Cause.UNKNOWN, Killer.UNKNOWN, note or elegy()
        sent = self.sent.deadly(death.signals)
        if self._victim is None:
            is_possible = death.status.signal == signal.SIGKILL and signal.SIGKILL not in sent
            self._victim = (
                self.victims.judge(death.child_faults, self._has_killed_orphans) if is_possible else Victim.NO
            )
        victim = self._victim
        self.victims.close(was_one=victim is not Victim.NO)
        cause, killer = judge(death.status, sent, oom_killed=victim is Victim.YES, deadline=deadline)
        if note and killer is not Killer.US:
            note = ended_by_itself(note)
        if not note:
            note = _LOST if death.status.code == CHANNEL_LOST else elegy()
        notes = (note, _DOUBT if victim is Victim.MAYBE else "")
        return cause, killer, "; ".join(filter(None, notes))
