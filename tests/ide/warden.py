"""`python warden.py SIZE COMMAND...`: run a command on an X server of its own, and end all that it started.

SIZE is that of the screen, such as 1280x900. A line of JSON on stdout gives `display`; another one, when
the command has ended, `status` and `left`: the command lines of what outlived it by a minute. The end of
stdin, and so the death of whoever started this, ends everything at once.
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
from collections.abc import Iterator

from pytest_tfkernel._child import proc, process
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.pidfds import wait_for_any

SECONDS = 60.0


def main(size: str, command: list[str]) -> None:
    """See the module."""
    # Nobody below gets away: orphans become our children.
    process.become_subreaper()
    with _screen(size) as (display, screen):
        print(json.dumps({"display": display}), flush=True)
        environment = os.environ | {"DISPLAY": display}
        # What is open and inheritable here is meant for the command.
        child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=2, close_fds=False)
        pidfd = os.pidfd_open(child.pid)
        ended = pidfd in select.select([pidfd, sys.stdin], [], [])[0]
        status = child.wait() if ended else None
        left = _wait_for_others(screen) if ended else []
        _end_others(screen)
        child.wait()
    if ended:
        print(json.dumps({"status": status, "left": left}), flush=True)


@contextlib.contextmanager
def _screen(size: str) -> Iterator[tuple[str, int]]:
    reader, writer = os.pipe()
    arguments = ["-displayfd", str(writer), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(["Xvfb", *arguments], pass_fds=[writer], stdin=subprocess.DEVNULL, stdout=2)
    os.close(writer)
    with os.fdopen(reader) as file:
        number = file.readline().strip()
    if not number:
        sys.exit("Xvfb did not start")
    try:
        yield f":{number}", server.pid
    finally:
        # Not SIGKILL: it removes its socket and its lock.
        server.terminate()
        server.wait()


def _others(screen: int) -> list[ProcessId]:
    below = [one for one in proc.descendants(os.getpid()) if one["pid"] != screen]
    for one in below:
        if one["parent"] == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(one["pid"], os.WNOHANG)
    return [ProcessId(one["pid"], one["start_time"]) for one in below if proc.start_time(one["pid"]) is not None]


def _wait_for_others(screen: int) -> list[str]:
    end = time.monotonic() + SECONDS
    while (others := _others(screen)) and time.monotonic() < end:
        wait_for_any(others, end - time.monotonic())
    return [proc.command_line(one.pid) for one in others]


def _end_others(screen: int) -> None:
    while others := _others(screen):
        for one in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        wait_for_any(others, SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
