"""`python subreaper.py OPTIONS COMMAND...`: run a command, kill it at a moment, and see what is left of it.

All that the command starts stays below this process, whatever it does to get away. OPTIONS is JSON:

    after       seconds from the start, or from the line on `ready`, at which to kill
    ready       whether the command writes a line to descriptor 5 before `after` begins
    deadline    seconds after the kill in which everything must be gone
    spare       a part of the command line of processes that may live longer, or ""
    patience    seconds after the kill in which those must be gone, too

Prints one line of JSON: `pid` of the command; `ended`, whether it ended before it was killed;
`below`, the command lines of what lived below it at that moment; `left`, those of what lived at the
deadline; `late`, those of what lived when patience was at its end. Everything is ended then.
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
    below = [proc.command_line(one["pid"]) for one in _living()]
    child.kill()
    killed = time.monotonic()
    child.wait()
    left = _wait(killed + options["deadline"], options["spare"])
    late = _wait(killed + options["patience"], "") if options["spare"] else left
    _end()
    return {"pid": child.pid, "ended": ended, "below": below, "left": left, "late": late}


def _living() -> list[dict[str, Any]]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return proc.descendants(os.getpid())


def _wait(deadline: float, spare: str) -> list[str]:
    """Until nothing lives but what is spared, or the deadline; the command lines of what else lives."""
    while True:
        lines = {one["pid"]: f"{proc.command_line(one['pid'])} ({one['state']})" for one in _living()}
        waited = {pid: line for pid, line in lines.items() if not spare or spare not in line}
        remaining = deadline - time.monotonic()
        if not waited or remaining <= 0:
            return list(waited.values())
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(next(iter(waited)))
            # A zombie is ready at once, and its parent has yet to notice.
            if select.select([pidfd], [], [], remaining)[0]:
                time.sleep(0.001)
            os.close(pidfd)


def _end() -> None:
    while living := _living():
        for one in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one["pid"], signal.SIGKILL)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2:])))
