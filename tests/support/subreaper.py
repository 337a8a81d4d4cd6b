"""`python subreaper.py OPTIONS COMMAND...`: run a command, kill it at a moment, and see what is left of it.

All that the command starts stays below this process, whatever it does to get away. OPTIONS is JSON:

    after       seconds from the start, or from the line on `ready`, at which to kill
    ready       whether the command writes a line to descriptor 5 before `after` begins
    deadline    seconds after the kill in which everything must be gone
    spare       a part of the command line of processes that may live longer, or ""
    patience    seconds after the kill in which those must be gone, too

Prints one line of JSON: `pid` of the command; `ended`, whether it ended before it was killed;
`below`, the command lines of what was below it at that moment; `left`, of what was there at
the deadline, zombies too; `unreaped`, of zombies that wait for a spared process to reap
them and are not `left`; `late`, of what was there when patience was at its end. Everything is ended then.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any

from pytest_tfkernel._child import proc, process

_READY = 5
_READY_SECONDS = 60.0


def main(options: dict[str, Any], command: list[str]) -> dict[str, Any]:
    """See the module."""
    process.become_subreaper()
    reader, writer = os.pipe()
    os.dup2(writer, _READY)
    os.close(writer)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[_READY] if options["ready"] else [],
    )
    os.close(_READY)
    pidfd = os.pidfd_open(child.pid)
    if options["ready"]:
        select.select([reader], [], [], _READY_SECONDS)
    ended = bool(select.select([pidfd], [], [], options["after"])[0])
    watch = Watch(options["spare"])
    below = list(watch.look().values())
    child.kill()
    killed = time.monotonic()
    child.wait()
    left = watch.wait(killed + options["deadline"])
    unreaped = watch.unreaped()
    late = Watch("").wait(killed + options["patience"]) if options["spare"] else left
    _end()
    return {"pid": child.pid, "ended": ended, "below": below, "left": left, "unreaped": unreaped, "late": late}


class Watch:
    """What is below this process. A zombie has no command line: it is called by the one that it had."""

    def __init__(self, spare: str) -> None:
        self._spare = spare
        self._names: dict[int, str] = {}

    def look(self) -> dict[int, str]:
        """All processes and zombies, by pid."""
        living = _living()
        for one in living:
            if one["state"] != "Z":
                self._name(one["pid"], proc.command_line(one["pid"]))
        return {one["pid"]: f"{self._names.get(one['pid'], '?')} ({one['state']})" for one in living}

    def unreaped(self) -> list[str]:
        """The zombies whose parent is spared: nobody but that parent can make them go."""
        found = self.look()
        return [found[pid] for pid in self._zombies_of_spared(found)]

    def wait(self, deadline: float) -> list[str]:
        """Until nothing is there but what is spared, or the deadline; what else is there then."""
        while True:
            found = self.look()
            excused = self._zombies_of_spared(found)
            waited = {pid: line for pid, line in found.items() if not self._is_spared(line) and pid not in excused}
            remaining = deadline - time.monotonic()
            if not waited or remaining <= 0:
                return list(waited.values())
            with contextlib.suppress(ProcessLookupError):
                pidfd = os.pidfd_open(next(iter(waited)))
                # A zombie is ready at once, and its parent has yet to notice.
                if select.select([pidfd], [], [], remaining)[0]:
                    time.sleep(0.001)
                os.close(pidfd)

    def _name(self, pid: int, line: str) -> None:
        # A process that ended since it was listed has lost its command line, and is known by the one before.
        if pid not in self._names or not line.startswith("["):
            self._names[pid] = line

    def _is_spared(self, line: str) -> bool:
        return bool(self._spare) and self._spare in line

    def _zombies_of_spared(self, found: dict[int, str]) -> list[int]:
        spared = {pid for pid, line in found.items() if self._is_spared(line)}
        stats = {pid: proc.read_stat(pid) for pid in found}
        return [pid for pid, stat in stats.items() if stat is not None and stat.state == "Z" and stat.parent in spared]


def _living() -> list[dict[str, Any]]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return proc.descendants(os.getpid())


def _end() -> None:
    while living := _living():
        for one in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one["pid"], signal.SIGKILL)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2:])))
