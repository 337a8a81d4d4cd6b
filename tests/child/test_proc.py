"""What /proc says of processes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from pytest_tfkernel._child import proc


def test_a_process_with_a_hostile_name_is_read() -> None:
    script = "printf ') R 1' > /proc/$$/comm; echo; read line"
    with subprocess.Popen(["sh", "-c", script], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        stat = proc.read_stat(process.pid)
        name = Path(f"/proc/{process.pid}/comm").read_text()
        process.kill()
    assert name == ") R 1\n"
    assert stat is not None
    assert stat.parent == os.getpid()


def test_what_has_a_handler_for_a_signal() -> None:
    number = signal.SIGRTMIN + 9
    assert not proc.catches(os.getpid(), number)
    before = signal.signal(number, lambda *_: None)
    try:
        assert proc.catches(os.getpid(), number)
        assert not proc.catches(os.getpid(), number + 1)
    finally:
        signal.signal(number, before)
    assert not proc.catches(2**22 + 1, number)


def test_a_zombie_is_one(eventually: Callable[[Callable[[], object]], None]) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    stat = proc.read_stat(pid)
    assert stat is not None
    assert stat.state == "Z"
    assert proc.command_line(pid).startswith("[")
    os.waitpid(pid, 0)
    assert (proc.read_stat(pid), proc.start_time(pid), proc.lease_of(pid), proc.command_line(pid)) == (None,) * 3 + (
        "",
    )


def test_a_lease_is_inherited_and_read() -> None:
    def stamp() -> None:
        resource.setrlimit(proc.RLIMIT_LOCKS, (987654321, resource.getrlimit(proc.RLIMIT_LOCKS)[1]))

    script = "env -i setsid sh -c 'sleep 60 & echo $!; wait'"
    with subprocess.Popen(["sh", "-c", script], stdout=-1, preexec_fn=stamp) as process:  # noqa: PLW1509 - it takes no lock
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        assert proc.lease_of(grandchild) == 987654321
        assert grandchild in {one["pid"] for one in proc.descendants(os.getpid())}
        for one in proc.descendants(process.pid):
            os.kill(one["pid"], 9)
