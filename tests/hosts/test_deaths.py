"""A kernel of Jupyter's or Spyder's dies: that is known at once, and what it was."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hosted_kernels import JUPYTER, MANAGED, POLL, QUICK, Kind
from pytest_tfkernel.kernels.faults.menu import find
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import FaultError, KernelDied, KernelHung, KernelIsDead, KernelStartError
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.model.provisioners import Jupyter, named

StartKernel = Callable[..., Kernel]
# For what is no matter of the kernel's own code.
_JUPYTER = pytest.mark.parametrize("kind", [JUPYTER], ids=str, indirect=True)

_SLEEP = "import time\n_tfkernel_mark('in')\ntime.sleep(30)"


def _restart(kernel: Kernel) -> None:
    kernel.restart()
    assert kernel.execute("1").value == 1


@pytest.fixture(scope="module")
def mortal(silent_hosts: list[str], launcher: Launcher, kind: Kind) -> Iterator[Kernel]:
    """One kernel of each kind, and one manager, for all deaths."""
    changes: dict[str, Any] = {**QUICK, "environment": kind.environment}
    provisioner = named(kind.provisioner, like=Jupyter(restart_poll=POLL))
    kernel = launcher.start(KernelSpec(python=kind.python(launcher), provisioner=provisioner, **changes))
    yield kernel
    kernel.shutdown()
    assert kernel.life.leftovers() == []


@pytest.fixture
def kernel(mortal: Kernel) -> Kernel:
    """That one; alive, whatever a test has done to it."""
    if not mortal.is_alive:
        mortal.restart()
    return mortal


class TestWaiting:
    def test_a_client_knows_at_once(self, kernel: Kernel) -> None:
        killed: list[float] = []

        def kill(_: str) -> None:
            killed.append(time.monotonic())
            os.kill(kernel.pid, signal.SIGKILL)

        with pytest.raises(KernelDied) as caught:
            kernel.execute_marked(_SLEEP, kill)
        assert time.monotonic() - killed[0] < 1
        post_mortem = caught.value.post_mortem
        assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
        assert (post_mortem.cause, post_mortem.killer) == (Cause.SIGNAL, Killer.UNKNOWN)
        assert post_mortem.last_cell == _SLEEP
        assert post_mortem.usage is not None
        assert post_mortem.usage.max_rss > 1 << 20

    def test_a_death_between_cells_is_known_without_asking(
        self, start_hosted: StartKernel, await_death: Callable[[int], None]
    ) -> None:
        kernel = start_hosted(restart_poll=60.0)
        os.kill(kernel.pid, signal.SIGTERM)
        await_death(kernel.pid)
        assert not kernel.is_alive
        with pytest.raises(KernelIsDead, match=r"of SIGTERM .* call restart\(\)"):
            kernel.execute("1")
        assert kernel.post_mortems[-1].exit_status == ExitStatus(signal=signal.SIGTERM)


_FAULTS = ("sigsegv", "os-exit-0", "hang-gil")
_MORE_FAULTS = ("sigkill", "sigterm", "os-exit-3", "sigstop")


class TestFaults:
    def test_each_ends_as_it_is_meant_to(self, kernel: Kernel, kind: Kind) -> None:
        names = (*_FAULTS, *(_MORE_FAULTS if kind == JUPYTER else ()))
        first, died = kernel.generation, len(kernel.post_mortems)
        for name in names:
            expected = find(name).expects
            assert isinstance(expected, Dies)
            found = kernel.inject(name, timeout=0.3 if name in ("hang", "hang-gil", "sigstop") else None).post_mortem
            assert found is not None
            assert (found.exit_status, found.cause, found.killer) == (expected.status, expected.cause, expected.killer)
            assert bool(found.stack) or not expected.stack, name
            _restart(kernel)
        assert kernel.generation == first + len(names)
        assert [one.generation for one in kernel.post_mortems[died:]] == list(range(first, first + len(names)))

    def test_each_that_leaves_it_alive_does(self, kernel: Kernel) -> None:
        for name in ("index-error", "interrupt", "oom-memory-error", "fd-exhaustion"):
            expected, reply = find(name).expects, kernel.inject(name).reply
            assert isinstance(expected, Lives)
            assert reply is not None
            assert reply.error is not None
            assert reply.error.type.endswith(expected.errors)
        assert kernel.execute("1").value == 1

    @MANAGED
    def test_an_oom_kill_is_known_as_one(self, kernel: Kernel, needs_cgroup: Callable[[str], None]) -> None:
        needs_cgroup("memory")
        found = kernel.inject("oom-kill").post_mortem
        assert found is not None
        assert (found.cause, found.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)
        _restart(kernel)

    @MANAGED
    def test_it_strikes_while_it_exits(self, kernel: Kernel) -> None:
        outcome = kernel.inject("sigkill", phase="exiting")
        assert (outcome.in_phase, kernel.is_alive) == (True, False)
        _restart(kernel)

    @_JUPYTER
    def test_it_strikes_while_it_is_shut_down_and_the_next_is_left_alone(self, kernel: Kernel) -> None:
        kernel.inject("sigkill", phase="exiting")
        with pytest.raises(KernelStartError, match=r"asked to shut the kernel down, .* call restart\(\)"):
            kernel.restart(asked=False)
        _restart(kernel)
        # jupyter_client sends SIGTERM 2.5 s after it has asked a process to end, and SIGKILL as much later.
        assert kernel.execute("import time\ntime.sleep(2.7)").ok

    @MANAGED
    def test_it_strikes_while_it_starts(self, kernel: Kernel) -> None:
        first = kernel.generation
        outcome = kernel.inject("sigkill", phase="starting")
        assert outcome.in_phase
        assert kernel.generation == first + 1
        _restart(kernel)

    def test_an_exit_is_an_error_here_and_no_death(self, kernel: Kernel) -> None:
        begun = time.monotonic()
        outcome = kernel.inject("exit")
        assert (outcome.post_mortem, outcome.reply is not None and outcome.reply.ok) == (None, False)
        assert time.monotonic() - begun < 5

    def test_a_script_is_none_of_them(self, kernel: Kernel) -> None:
        with pytest.raises(ValueError, match="interactive cells only"):
            kernel.inject("index-error-script")
        with pytest.raises(FaultError, match="provisioner='subprocess'"):
            kernel.inject("sigkill", phase="importing")


class TestDeadline:
    @_JUPYTER
    @pytest.mark.parametrize("cell", ["import time\ntime.sleep(60)", "import ctypes\nctypes.PyDLL(None).pause()"])
    def test_a_hung_cell_is_ended_with_its_stack(self, kernel: Kernel, cell: str) -> None:
        with pytest.raises(KernelHung, match=r"no reply for 0.3 s") as caught:
            kernel.execute(cell, timeout=0.3)
        post_mortem = caught.value.post_mortem
        assert (post_mortem.cause, post_mortem.killer) == (Cause.DEADLINE, Killer.US)
        assert "line 2 in <module>" in post_mortem.stack


class TestLastWords:
    def test_those_of_native_code_are_there(self, kernel: Kernel) -> None:
        cell = "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.dprintf(2, b'out of luck\\n')\nlibc.usleep(20000)\nlibc.abort()"
        with pytest.raises(KernelDied) as caught:
            kernel.execute(cell)
        assert caught.value.post_mortem.stderr.endswith("out of luck\n")
        assert caught.value.post_mortem.stderr.count("out of luck") == 1
        assert "Fatal Python error: Aborted" in caught.value.post_mortem.stack

    def test_those_that_were_published_are_there(self, kernel: Kernel) -> None:
        cell = "import os, sys\nprint('published')\nsys.stdout.flush()\nimport time\ntime.sleep(0.3)\nos._exit(3)"
        with pytest.raises(KernelDied) as caught:
            kernel.execute(cell)
        assert caught.value.post_mortem.stdout == "published\n"


_ENDS = {
    "quit()": ExitStatus(code=0),
    "import os\nos.execv('/bin/sh', ['sh', '-c', 'exit 9'])": ExitStatus(code=9),
    "import os\nos.closerange(3, 4096)": ExitStatus(signal=signal.SIGABRT),
}


@_JUPYTER
class TestOddEnds:
    @pytest.mark.parametrize(("cell", "status"), _ENDS.items(), ids=["quit", "execv", "closerange"])
    def test_a_cell_ends_the_process(
        self, kernel: Kernel, cell: str, status: ExitStatus, await_death: Callable[[int], None]
    ) -> None:
        died = len(kernel.post_mortems)
        try:
            kernel.execute(cell, timeout=5)
            await_death(kernel.pid)
        except KernelDied:
            pass
        assert [one.exit_status for one in kernel.post_mortems[died:]] == [status]
        _restart(kernel)

    def test_a_kernel_that_has_become_another_program_is_ended_in_time(self, kernel: Kernel) -> None:
        with pytest.raises(KernelHung, match=r"no reply for 0.5 s"):
            kernel.execute("import os\nos.execv('/bin/sleep', ['sleep', '60'])", timeout=0.5)

    def test_what_it_leaves_is_found_and_ended(self, kernel: Kernel, await_death: Callable[[int], None]) -> None:
        cell = "import subprocess\nsubprocess.Popen(['sleep', '62'], start_new_session=True, env={}).pid"
        escaped = kernel.execute(cell).value
        kernel.inject("sigkill")
        assert [one.process.pid for one in kernel.leftovers()] == [escaped]
        before = len(kernel.left_behind)
        _restart(kernel)
        assert [one.process.pid for one in kernel.left_behind[before:]] == [escaped]
        await_death(escaped)


def test_a_child_that_holds_its_sockets_keeps_nothing_alive(start_hosted: StartKernel) -> None:
    kernel = start_hosted(restart_poll=0.1)
    child = kernel.execute("import os, time\npid = os.fork()\nif pid == 0: time.sleep(60)\npid").value
    kernel.inject("sigkill")
    assert [one.process.pid for one in kernel.leftovers()] == [child]
    kernel.restart(asked=False)
    assert kernel.execute("2").value == 2
    assert [one.process.pid for one in kernel.left_behind] == [child]


class TestLimits:
    @MANAGED
    def test_they_and_the_rest_of_the_spec_hold_for_each_generation(
        self, start_hosted: StartKernel, launcher: Launcher, kind: Kind, tmp_path: Path
    ) -> None:
        kernel = start_hosted(
            python=kind.python(launcher),
            provisioner=kind.provisioner,
            folder=str(tmp_path),
            environment={**kind.environment, "MINE": "1", "HOME": None},
            open_files_limit=200,
            sys_path=("/somewhere",),
            startup="begun = 5",
        )
        cell = "import os, resource, sys\n[os.getcwd(), os.environ['MINE'], 'HOME' in os.environ,"
        cell += " resource.getrlimit(resource.RLIMIT_NOFILE)[0], sys.path[0], begun]"
        assert kernel.execute(cell).value == [str(tmp_path), "1", False, 200, "/somewhere", 5]
        kernel.restart()
        assert kernel.execute(cell).value == [str(tmp_path), "1", False, 200, "/somewhere", 5]

    def test_a_memory_limit_bites_in_each_generation(
        self, start_hosted: StartKernel, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup("memory")
        kernel = start_hosted(memory_limit=160 << 20)
        for generation in (1, 2):
            with pytest.raises(KernelDied) as caught:
                kernel.execute("x = bytearray(320 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1")
            found = caught.value.post_mortem
            assert (found.generation, found.cause) == (generation, Cause.OOM_KILL)
            kernel.restart(asked=False)

    def test_a_limit_on_processes_bites(self, start_hosted: StartKernel, needs_cgroup: Callable[[str], None]) -> None:
        needs_cgroup("pids")
        kernel = start_hosted(process_limit=40)
        cell = "import threading\nstop = threading.Event()\ntry:\n    for _ in range(60): threading.Thread(target=stop.wait).start()"
        assert "can't start new thread" in str(kernel.execute(f"{cell}\nfinally: stop.set()").error)
        assert kernel.execute("1").value == 1


@_JUPYTER
class TestThreads:
    def test_a_kernel_may_be_interrupted_while_it_dies_and_restarts(self, kernel: Kernel) -> None:
        stop = threading.Event()

        def pester() -> None:
            while not stop.wait(0.005):
                kernel.interrupt()

        thread = threading.Thread(target=pester)
        kernel.inject("sigkill")
        thread.start()
        time.sleep(0.05)
        stop.set()
        thread.join()
        _restart(kernel)
