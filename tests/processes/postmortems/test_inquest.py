"""Deaths of which we are part of the story, and not the end of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem
from pytest_tfkernel.processes.cgroups import MEMORY
from pytest_tfkernel.processes.postmortems import deaths

StartKernel = Callable[..., Kernel]
MIB = 1 << 20
ABORTED = ExitStatus(signal=signal.SIGABRT)
EAT = "x = bytearray(1 << 30)\nx[::4096] = x[::4096]"
# A child that the OOM killer takes, since it is the greatest.
CHILD = f"import os, signal, subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {EAT!r}])\n"
REAPED = f"{CHILD}child.wait()\n"
# A zombie that its parent has seen and left.
UNREAPED = f"{CHILD}os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)\n"
# Nobody sees it.
IGNORED = f"import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n{CHILD}child.wait()\n"


def die(kernel: Kernel, cell: str, timeout: float = 30.0) -> PostMortem:
    with pytest.raises(KernelDied) as caught:
        kernel.execute(cell, timeout=timeout)
    return caught.value.post_mortem


def why(found: PostMortem | None) -> tuple[ExitStatus | None, Cause, Killer]:
    assert found is not None
    return found.exit_status, found.cause, found.killer


@pytest.fixture(params=["forkserver", "subprocess"])
def kernel(start: StartKernel, request: pytest.FixtureRequest) -> Kernel:
    return start(provisioner=request.param)


@pytest.fixture
def limited(start: StartKernel, needs_cgroup: Callable[[str], None]) -> Kernel:
    needs_cgroup(MEMORY)
    return start(memory_limit=48 * MIB)


class TestDeadline:
    @pytest.mark.parametrize(
        ("end", "status"),
        [("os._exit(3)", ExitStatus(code=3)), ("os.abort()", ABORTED), ("os.kill(os.getpid(), 15)", None)],
    )
    def test_one_that_ends_itself_when_its_time_is_over_is_not_ended_by_us(
        self, kernel: Kernel, end: str, status: ExitStatus | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pytest_tfkernel.kernels.generations.life._STACKS_SECONDS", 30.0)
        kernel.execute(f"import os, signal\nsignal.signal(signal.SIGRTMIN + 6, lambda *_: {end})")
        with pytest.raises(KernelHung) as caught:
            kernel.execute("while True: signal.pause()", timeout=0.3)
        found = caught.value.post_mortem
        assert found.cause is not Cause.DEADLINE
        assert found.killer is not Killer.US
        assert status in (None, found.exit_status)
        assert "no reply for 0.3 s, and was gone before we ended it" in found.headline()

    def test_the_request_for_stacks_is_ours_where_it_kills(self, kernel: Kernel) -> None:
        kernel.execute("import signal\nsignal.signal(signal.SIGRTMIN + 6, signal.SIG_DFL)")
        with pytest.raises(KernelHung) as caught:
            kernel.execute("while True: signal.pause()", timeout=0.3)
        assert why(caught.value.post_mortem)[1:] == (Cause.DEADLINE, Killer.US)


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGTERM, signal.SIGSEGV])
    def test_one_that_is_ignored_is_not_what_it_dies_of(self, kernel: Kernel, number: int) -> None:
        kernel.execute(f"import os, signal\nsignal.signal({int(number)}, signal.SIG_IGN)")
        kernel.signal(number)
        found = die(kernel, f"signal.signal({int(number)}, signal.SIG_DFL)\nos.kill(os.getpid(), {int(number)})")
        assert found.exit_status == ExitStatus(signal=number)
        assert found.killer is not Killer.US

    def test_one_that_was_answered_after_is_not_what_it_dies_of(self, kernel: Kernel) -> None:
        kernel.execute("import os, signal\nheard = []\nsignal.signal(signal.SIGABRT, lambda *_: heard.append(1))")
        kernel.signal(signal.SIGABRT)
        assert kernel.execute("len(heard)").value == 1
        assert why(die(kernel, "os.abort()")) == (ABORTED, Cause.SIGNAL, Killer.SELF)

    def test_one_that_it_holds_back_is_ours_when_it_is_let_through(self, kernel: Kernel) -> None:
        kernel.execute("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGABRT])")
        kernel.signal(signal.SIGABRT)
        assert kernel.execute("1").value == 1
        found = die(kernel, "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGABRT])\nsignal.pause()")
        assert why(found) == (ABORTED, Cause.SIGNAL, Killer.US)

    def test_the_second_of_two_is_ours_where_the_first_was_outlived(self, kernel: Kernel) -> None:
        kernel.execute("import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)")
        kernel.signal(signal.SIGTERM)
        kernel.execute("signal.signal(signal.SIGTERM, signal.SIG_DFL)")
        assert why(kernel.inject("sigterm").post_mortem)[1:] == (Cause.SIGNAL, Killer.US)

    def test_none_at_all_does_no_harm(self, kernel: Kernel) -> None:
        kernel.signal(0)
        assert kernel.execute("1").value == 1


class TestOomKillOfAChild:
    @pytest.mark.parametrize("child", [REAPED, UNREAPED, IGNORED], ids=["reaped", "a zombie", "unseen"])
    def test_what_kills_the_kernel_then_is_not_the_oom_killer(self, limited: Kernel, child: str) -> None:
        found = die(limited, f"{child}os.kill(os.getpid(), 9)")
        assert why(found) == (ExitStatus(signal=signal.SIGKILL), Cause.SIGNAL, Killer.UNKNOWN)
        # Whether there was time to see that the kernel had lived on, or not.
        assert "the OOM killer took" in found.headline()

    @pytest.mark.parametrize("child", [REAPED, UNREAPED])
    def test_what_kills_an_idle_kernel_then_is_not_the_oom_killer(
        self, limited: Kernel, child: str, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
    ) -> None:
        # Nobody waits for the kernel, and so nobody looks, while its thread has the child killed.
        done = tmp_path / "done"
        work = f"{child}open({str(done)!r}, 'w').close()"
        limited.execute(f"import threading\nthreading.Thread(target=exec, args=({work!r}, {{}})).start()")
        eventually(done.exists)
        os.kill(limited.pid, signal.SIGKILL)
        limited.life.wait(20, channel=False)
        assert why(limited.post_mortems[-1])[1:] == (Cause.SIGNAL, Killer.UNKNOWN)

    def test_the_reply_says_so_where_nobody_looked_meanwhile(
        self, limited: Kernel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("_BUSY_SECONDS", "_QUIET_SECONDS"):
            monkeypatch.setattr(f"pytest_tfkernel.kernels.generations.life.{name}", 60.0)
        assert limited.execute(REAPED).children_oom_killed == 1
        assert limited.inject("sigkill").post_mortem.children_oom_killed == 1  # type: ignore[union-attr]

    def test_the_reply_says_so(self, limited: Kernel) -> None:
        assert limited.execute(REAPED).children_oom_killed == 1
        assert limited.execute("1").children_oom_killed == 0

    @pytest.mark.parametrize("end", ["os._exit(5)", "os.abort()"])
    def test_the_post_mortem_of_another_death_says_so(self, limited: Kernel, end: str) -> None:
        limited.execute(REAPED)
        found = die(limited, f"{REAPED}{end}")
        assert (found.killer, found.children_oom_killed) == (Killer.SELF, 2)
        assert "the OOM killer took 2 process(es) that it had started" in found.headline()

    def test_the_post_mortem_of_a_death_by_us_says_so(self, limited: Kernel) -> None:
        limited.execute(REAPED)
        found = limited.inject("sigkill").post_mortem
        assert found is not None
        assert (found.killer, found.children_oom_killed) == (Killer.US, 1)

    def test_its_own_is_its_own(self, limited: Kernel) -> None:
        limited.execute("import subprocess\nsubprocess.call(['true'])")
        found = die(limited, EAT)
        assert why(found)[1:] == (Cause.OOM_KILL, Killer.OOM_KILLER)
        assert found.children_oom_killed == 0


ORPHANS = """
import os
reader, writer = os.pipe()
for _ in range(32):
    if os.fork() == 0:
        os.fork() and os._exit(0)
        os.read(reader, 1)
        os._exit(0)
    os.wait()
os.write(writer, b"x" * 32)
"""


def test_a_death_is_known_however_many_orphans_die_before_it_is_asked_for(
    start: StartKernel,
    launcher: Launcher,
    monkeypatch: pytest.MonkeyPatch,
    await_death: Callable[[int], None],
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    monkeypatch.setattr(deaths, "_KEPT_DEATHS", 8)
    kernel, other = start(), start()
    kernel.signal(signal.SIGKILL)
    await_death(kernel.pid)
    other.execute(ORPHANS)
    eventually(lambda: len(launcher.supervisor.members(other.life.lease)) == 1)
    assert why(kernel.post_mortems[-1]) == (ExitStatus(signal=signal.SIGKILL), Cause.SIGNAL, Killer.US)
