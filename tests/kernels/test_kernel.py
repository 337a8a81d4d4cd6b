"""Cells, deadlines, interrupts, restarts: what a kernel does for its user."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import handles
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import (
    CellRaisedError,
    FaultError,
    KernelDied,
    KernelHung,
    KernelIsDead,
    KernelStartError,
    TooLargeError,
)
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.model.provisioners import ForkServer

StartKernel = Callable[..., Kernel]


class TestExecute:
    def test_value_is_that_of_the_last_expression(self, kernel: Kernel) -> None:
        reply = kernel.execute("x = 20\nx + 22")
        assert (reply.ok, reply.value, reply.error) == (True, 42, None)

    @pytest.mark.parametrize("cell", ["", "# nothing", "x = 1", "42\nx = 1", "def f(): return 1"])
    def test_a_cell_that_ends_with_no_expression_has_no_value(self, kernel: Kernel, cell: str) -> None:
        reply = kernel.execute(cell)
        assert (reply.ok, reply.value) == (True, None)

    def test_variables_stay_between_cells(self, kernel: Kernel) -> None:
        kernel.execute("x = 1")
        assert kernel.execute("x").value == 1

    def test_cells_run_in_main(self, kernel: Kernel) -> None:
        kernel.execute("class Mine: pass")
        assert kernel.execute("import pickle; pickle.loads(pickle.dumps(Mine())).__module__").value == "__main__"

    def test_output_of_each_cell_is_its_own(self, kernel: Kernel) -> None:
        kernel.execute("print('first')")
        reply = kernel.execute("import sys\nprint('out')\nprint('err', file=sys.stderr)")
        assert (reply.stdout, reply.stderr) == ("out\n", "err\n")

    def test_output_of_native_code_and_of_children_is_there(self, kernel: Kernel) -> None:
        reply = kernel.execute("import os, subprocess\nos.write(1, b'raw ')\nsubprocess.call(['echo', 'child'])")
        assert reply.stdout == "raw child\n"

    def test_a_checked_cell_raises_what_it_raised_and_the_kernel_lives_on(self, kernel: Kernel) -> None:
        with pytest.raises(NameError, match="the cell raised NameError: name 'trainr' is not defined"):
            kernel.execute("import json\ntrainr.fit()", check=True)
        with pytest.raises(CellRaisedError, match="trainr"):
            kernel.execute("trainr").check()
        reply = kernel.execute("json.loads('3')", check=True)
        assert reply.check() is reply
        assert [one.cell for one in kernel.past.cells[-2:]] == ["trainr", "json.loads('3')"]

    def test_it_says_who_it_is(self, kernel: Kernel) -> None:
        assert repr(kernel) == f"<Kernel {kernel.pid}: forkserver, generation 1, running>"
        kernel.inject("sigkill")
        assert repr(kernel).endswith("generation 1, dead>")
        kernel.shutdown()
        assert repr(kernel).endswith("generation 1, shut down>")

    def test_seconds_are_those_of_the_cell(self, kernel: Kernel) -> None:
        assert 0.05 <= kernel.execute("import time; time.sleep(0.05)").seconds < 5

    def test_an_error_is_named_and_shows_the_cell(self, kernel: Kernel) -> None:
        reply = kernel.execute("class Odd(Exception): pass\ndef f():\n    raise Odd('why')\nf()")
        assert not reply.ok
        assert reply.error is not None
        assert (reply.error.type, reply.error.message) == ("__main__.Odd", "why")
        assert reply.error.traceback.startswith('Traceback (most recent call last):\n  File "<cell 1>", line 4')
        assert "    raise Odd('why')" in reply.error.traceback
        assert "_child" not in reply.error.traceback

    def test_a_builtin_error_has_its_plain_name(self, kernel: Kernel) -> None:
        assert str(kernel.execute("[][1]").error) == "IndexError: list index out of range"

    def test_an_error_leaves_process_and_variables(self, kernel: Kernel) -> None:
        kernel.execute("x = 1")
        kernel.execute("1 / 0")
        assert kernel.execute("x").value == 1
        assert kernel.generation == 1

    def test_a_syntax_error_is_a_reply_that_shows_where(self, kernel: Kernel) -> None:
        error = kernel.execute("x = 1\nx = = 2").error
        assert error is not None
        assert error.type == "SyntaxError"
        assert "x = = 2" in error.traceback
        assert "line 2" in error.traceback

    @pytest.mark.parametrize("cell", ["x = '\ud800'", "\0", "(" * 1000])
    def test_text_that_is_no_source_is_an_error_reply(self, kernel: Kernel, cell: str) -> None:
        assert not kernel.execute(cell).ok
        assert kernel.execute("1").value == 1

    def test_an_error_whose_text_fails_is_still_a_reply(self, kernel: Kernel) -> None:
        reply = kernel.execute("class Bad(Exception):\n    def __str__(self): 1 / 0\nraise Bad")
        assert reply.error is not None
        assert (reply.error.type, reply.error.message) == ("__main__.Bad", "(its message could not be made)")

    def test_a_script_dies_of_its_error(self, kernel: Kernel) -> None:
        with pytest.raises(KernelDied) as caught:
            kernel.execute("print('before')\n[][1]", interactive=False)
        post_mortem = caught.value.post_mortem
        assert (post_mortem.exit_status, post_mortem.cause, post_mortem.killer) == (
            ExitStatus(code=1),
            Cause.EXIT,
            Killer.SELF,
        )
        assert post_mortem.stdout == "before\n"
        assert "[][1]" in post_mortem.stderr
        assert post_mortem.stderr.endswith("IndexError: list index out of range\n")

    def test_a_script_without_an_error_lives(self, kernel: Kernel) -> None:
        assert kernel.execute("1 + 1", interactive=False).value == 2

    def test_a_script_whose_exit_takes_long_dies_of_its_error(self, kernel: Kernel) -> None:
        # As TensorFlow's threads do on a busy machine: after Python has let go of all its objects.
        at_exit = "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.__cxa_atexit(libc.sleep, ctypes.c_void_p(2), None)"
        with pytest.raises(KernelDied) as died:
            kernel.execute(f"{at_exit}\n[][0]", interactive=False)
        assert died.value.post_mortem.exit_status == ExitStatus(code=1)

    def test_a_script_ends_as_its_excepthook_says(self, kernel: Kernel) -> None:
        with pytest.raises(KernelDied) as caught:
            kernel.execute("import sys\nsys.excepthook = lambda *_: print('hooked')\n1 / 0", interactive=False)
        assert caught.value.post_mortem.stdout == "hooked\n"

    def test_a_cell_that_forks_replies_once(self, kernel: Kernel) -> None:
        cell = "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n'forked'"
        assert kernel.execute(cell).value == "forked"
        assert kernel.execute("'next'").value == "next"

    def test_a_cell_of_64_mib_is_refused_and_the_kernel_lives(self, kernel: Kernel) -> None:
        with pytest.raises(TooLargeError, match="bytes is longer than .* file"):
            kernel.execute("x = '" + "x" * (65 << 20) + "'")
        assert kernel.execute("1").value == 1

    def test_a_cell_may_replace_or_close_its_streams(self, kernel: Kernel) -> None:
        assert kernel.execute("import sys\nsys.stdout.close()\nsys.stderr = None\n5").value == 5
        assert kernel.execute("6").value == 6

    def test_modules_of_ours_are_not_importable_in_cells(self, kernel: Kernel) -> None:
        for name in ("kernel", "frames", "values", "proc"):
            error = kernel.execute(f"import {name}").error
            assert error is not None
            assert error.type == "ModuleNotFoundError"


class TestDeath:
    def test_text_is_what_a_person_needs(self, kernel: Kernel) -> None:
        cell = "import ctypes, sys\nprint('last out')\nprint('last err', file=sys.stderr)\nctypes.string_at(0)"
        with pytest.raises(KernelDied) as caught:
            kernel.execute(cell)
        text = str(caught.value)
        assert "SIGSEGV (cause: signal; killed by: the kernel itself)" in text.splitlines()[0]
        assert f"--- last cell\n{cell}" in text
        assert 'File "<cell 1>", line 4' in text
        assert "--- stdout\nlast out" in text
        assert "--- stderr\nlast err" in text

    def test_os_exit_0_is_a_death(self, kernel: Kernel) -> None:
        with pytest.raises(KernelDied, match=r"exit code 0 \(cause: exit; killed by: the kernel itself\)"):
            kernel.execute("import os; os._exit(0)")

    def test_exit_ends_the_kernel_with_its_code(self, kernel: Kernel) -> None:
        with pytest.raises(KernelDied, match="of exit code 7"):
            kernel.execute("exit(7)")

    def test_asking_a_dead_kernel_says_since_when_and_of_what(
        self, kernel: Kernel, await_death: Callable[[int], None]
    ) -> None:
        os.kill(kernel.pid, signal.SIGTERM)
        await_death(kernel.pid)
        for ask in (lambda: kernel.execute("1"), lambda: kernel.call(int), lambda: kernel.inject("sigkill")):
            with pytest.raises(
                KernelIsDead, match=r"dead for 0\.\d s: kernel \d+ died .* of SIGTERM .*restart\(\)"
            ) as caught:
                ask()
            assert caught.value.post_mortem is kernel.post_mortems[-1]
        assert len(kernel.post_mortems) == 1

    def test_is_alive_knows_at_once(self, kernel: Kernel, await_death: Callable[[int], None]) -> None:
        assert kernel.is_alive
        os.kill(kernel.pid, signal.SIGKILL)
        await_death(kernel.pid)
        assert not kernel.is_alive


_HANGS = {
    "sleeping": "import time\ntime.sleep(60)",
    "waiting": "import threading\nthreading.Event().wait()",
    "holding the interpreter lock": "import ctypes\nctypes.PyDLL(None).pause()",
    "deaf to SIGTERM": "import signal\nsignal.signal(15, signal.SIG_IGN)\nsignal.pause()",
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nsignal.pause()",
}


class TestDeadline:
    @pytest.mark.parametrize("cell", _HANGS.values(), ids=_HANGS)
    def test_a_hung_cell_is_ended_with_its_stack(self, kernel: Kernel, cell: str) -> None:
        with pytest.raises(KernelHung, match=r"no reply for 0.3 s") as caught:
            kernel.execute(cell, timeout=0.3)
        post_mortem = caught.value.post_mortem
        assert (post_mortem.cause, post_mortem.killer) == (Cause.DEADLINE, Killer.US)
        assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
        assert 'File "<cell 1>", line ' in post_mortem.stack
        assert post_mortem.stack in str(caught.value)
        assert not kernel.is_alive

    def test_stacks_of_all_threads_are_there(self, kernel: Kernel) -> None:
        cell = "import threading, time\ndef other(): time.sleep(60)\nthreading.Thread(target=other).start()\ntime.sleep(60)"
        with pytest.raises(KernelHung) as caught:
            kernel.execute(cell, timeout=0.3)
        assert "in other" in caught.value.post_mortem.stack
        assert caught.value.post_mortem.stack.count("hread 0x") == 2

    def test_the_process_tree_is_ended(
        self, kernel: Kernel, await_death: Callable[[int], None], tmp_path: Path
    ) -> None:
        file = tmp_path / "pid"
        cell = f"import os, time\nif os.fork() == 0: os.setsid(); open({str(file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
        with pytest.raises(KernelHung):
            kernel.execute(cell, timeout=0.5)
        assert proc.start_time(int(file.read_text())) is None

    def test_the_deadline_of_the_spec_holds_by_default(self, start: StartKernel) -> None:
        with pytest.raises(KernelHung, match="no reply for 0.2 s"):
            start(timeout=0.2).execute("import time; time.sleep(60)")

    def test_a_start_has_a_deadline(self, launcher: object, start: StartKernel, tmp_path: Path) -> None:
        (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(60)")
        with pytest.raises(KernelStartError, match="did not start: .*no reply for 0.5 s"):
            start(provisioner="subprocess", start_timeout=0.5, environment={"PYTHONPATH": str(tmp_path)})
        assert start().execute("1").value == 1


class TestInterrupt:
    def test_it_ends_the_running_cell(
        self, kernel: Kernel, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
    ) -> None:
        running = tmp_path / "running"
        replies = []
        cell = f"import time\nx = 5\nopen({str(running)!r}, 'w').close()\ntime.sleep(60)"
        thread = threading.Thread(target=lambda: replies.append(kernel.execute(cell)))
        thread.start()
        eventually(running.exists)
        kernel.interrupt()
        thread.join(10)
        assert replies[0].error is not None
        assert replies[0].error.type == "KeyboardInterrupt"
        assert kernel.execute("x").value == 5

    def test_between_cells_it_means_nothing(self, kernel: Kernel) -> None:
        kernel.interrupt()
        assert kernel.execute("'still there'").value == "still there"
        assert kernel.post_mortems == ()

    def test_of_a_dead_kernel_it_means_nothing(self, kernel: Kernel) -> None:
        kernel.inject("sigkill")
        kernel.interrupt()
        assert len(kernel.post_mortems) == 1


class TestRestart:
    def test_it_makes_a_new_process_and_counts(self, kernel: Kernel) -> None:
        kernel.execute("x = 1")
        before = kernel.life.process
        kernel.restart()
        assert kernel.life.process != before
        assert (kernel.generation, kernel.is_alive) == (2, True)
        error = kernel.execute("x").error
        assert error is not None
        assert error.type == "NameError"

    def test_it_follows_a_death(self, kernel: Kernel) -> None:
        kernel.inject("sigkill")
        kernel.restart()
        assert kernel.execute("1").value == 1
        assert [(one.generation, one.cause) for one in kernel.post_mortems] == [(1, Cause.SIGNAL)]

    def test_the_old_process_has_been_reaped(self, kernel: Kernel) -> None:
        old = kernel.pid
        kernel.restart()
        assert proc.start_time(old) is None

    def test_the_last_100_post_mortems_are_kept(self, kernel: Kernel) -> None:
        for _ in range(102):
            kernel.inject("sigkill")
            kernel.restart()
        generations = [one.generation for one in kernel.post_mortems]
        assert generations == list(range(3, 103))

    def test_nothing_of_ours_grows(self, kernel: Kernel) -> None:
        def kill_one() -> int:
            kernel.inject("sigkill")
            kernel.restart()
            return handles.opened()

        once = kill_one()
        for _ in range(9):
            kill_one()
        handles.do_not_grow(once)

    def test_what_was_left_running_is_told_and_ended(self, kernel: Kernel) -> None:
        pid = kernel.execute("import subprocess; subprocess.Popen(['sleep', '61'], start_new_session=True).pid").value
        kernel.inject("sigkill")
        kernel.restart()
        assert [(one.process.pid, str(one)) for one in kernel.left_behind] == [(pid, f"process {pid} (sleep 61)")]
        assert proc.start_time(pid) is None

    def test_a_living_kernel_may_clean_up_first(self, kernel: Kernel, tmp_path: Path) -> None:
        goodbye = tmp_path / "goodbye"
        kernel.execute(f"import atexit; atexit.register(lambda: open({str(goodbye)!r}, 'w').close())")
        kernel.restart()
        assert goodbye.exists()


class TestShutdown:
    def test_it_ends_in_the_ordinary_way(self, kernel: Kernel) -> None:
        kernel.shutdown()
        assert not kernel.is_alive
        assert kernel.post_mortems[-1].exit_status == ExitStatus(code=0)
        with pytest.raises(KernelIsDead):
            kernel.execute("1")

    def test_a_second_one_does_nothing(self, kernel: Kernel) -> None:
        kernel.shutdown()
        kernel.shutdown()
        assert len(kernel.post_mortems) == 1

    def test_a_restart_may_follow(self, kernel: Kernel) -> None:
        kernel.shutdown()
        kernel.restart()
        assert kernel.execute("1").value == 1

    def test_a_kernel_that_does_not_end_is_ended(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ForkServer, "shutdown_seconds", 0.2)
        kernel.execute("import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()")
        kernel.shutdown()
        assert kernel.post_mortems[-1].cause is Cause.DEADLINE
        assert "did not shut down within 0.2 s" in kernel.post_mortems[-1].note

    def test_a_stopped_kernel_is_ended(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ForkServer, "shutdown_seconds", 0.2)
        kernel.signal(signal.SIGSTOP)
        kernel.shutdown()
        assert kernel.post_mortems[-1].cause is Cause.DEADLINE

    def test_output_of_the_end_is_in_the_post_mortem(self, kernel: Kernel) -> None:
        kernel.execute("import atexit; atexit.register(print, 'goodbye')")
        kernel.shutdown()
        assert kernel.post_mortems[-1].stdout == "goodbye\n"


class TestSpec:
    def test_the_startup_cell_runs_in_each_generation(self, start: StartKernel) -> None:
        kernel = start(startup="x = 7")
        assert kernel.execute("x").value == 7
        kernel.restart()
        assert kernel.execute("x").value == 7

    def test_a_startup_cell_that_fails_is_told(self, start: StartKernel) -> None:
        with pytest.raises(
            KernelStartError, match="the startup cell failed with ZeroDivisionError: division by zero\nTraceback"
        ):
            start(startup="1 / 0")

    def test_a_startup_cell_that_dies_is_told(self, start: StartKernel) -> None:
        with pytest.raises(KernelStartError, match="did not start: kernel .* of exit code 3"):
            start(startup="import os; os._exit(3)")

    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_folder_path_and_environment_are_those_of_the_spec(
        self, start: StartKernel, tmp_path: Path, provisioner: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TO_REMOVE", "1")
        monkeypatch.setenv("PYTEST_CURRENT_TEST", "no affair of the kernel's")
        kernel = start(
            provisioner=provisioner,
            folder=str(tmp_path),
            sys_path=(str(tmp_path / "mine"),),
            environment={"ADDED": "yes \udcff", "TO_REMOVE": None},
        )
        cell = "import os, sys\n[os.getcwd(), sys.path[0], os.environ['ADDED'], os.getenv('TO_REMOVE'), os.getenv('PYTEST_CURRENT_TEST')]"
        assert kernel.execute(cell).value == [str(tmp_path), str(tmp_path / "mine"), "yes \udcff", None, None]

    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_rlimits_are_those_of_the_spec(self, start: StartKernel, provisioner: str) -> None:
        kernel = start(provisioner=provisioner, address_space_limit=1 << 30, open_files_limit=50)
        cell = "import resource\n[resource.getrlimit(n)[0] for n in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)]"
        assert kernel.execute(cell).value == [1 << 30, 50]

    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_a_kernel_starts_with_its_own_handles_only(self, start: StartKernel, provisioner: str) -> None:
        links = (
            start(provisioner=provisioner)
            .execute(
                "import os\nfound = []\nfor n in os.listdir('/proc/self/fd'):\n"
                "    try: found.append(os.readlink('/proc/self/fd/' + n).split(' ')[0].split(':')[0])\n    except OSError: pass\nsorted(found)"
            )
            .value
        )
        # The second socket is Connection's own duplicate of the channel.
        ours = ["/dev/null", "/memfd", "/memfd", "/memfd", "socket", "socket"]
        assert links == ours or links == sorted([*ours, "/proc/%d/fd"])

    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_signals_have_their_ordinary_meaning(self, start: StartKernel, provisioner: str) -> None:
        cell = "import signal\n[signal.getsignal(n) == signal.SIG_DFL for n in (1, 15, 17, 13 + 2)] + [list(signal.pthread_sigmask(0, []))]"
        assert start(provisioner=provisioner).execute(cell).value == [True, True, True, True, []]


class TestThreads:
    def test_two_kernels_run_at_once(self, start: StartKernel) -> None:
        kernels = [start(), start()]
        replies = []
        # Each waits for the other: one after the other would never end.
        pipes = [os.pipe(), os.pipe()]
        paths = [[f"/proc/{os.getpid()}/fd/{end}" for end in pipe] for pipe in pipes]

        def run(kernel: Kernel, mine: int, theirs: int) -> None:
            cell = f"open({paths[theirs][1]!r}, 'w').write('x')\nopen({paths[mine][0]!r}).read(1)"
            replies.append(kernel.execute(cell, timeout=10).value)

        threads = [threading.Thread(target=run, args=(kernel, n, 1 - n)) for n, kernel in enumerate(kernels)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        for pipe in pipes:
            for end in pipe:
                os.close(end)
        assert replies == ["x", "x"]

    def test_cells_of_one_kernel_run_one_after_the_other(self, kernel: Kernel) -> None:
        kernel.execute("seen = []")
        cell = "import time\nseen.append('in'); time.sleep(0.01); seen.append('out')"
        threads = [threading.Thread(target=kernel.execute, args=(cell,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert kernel.execute("seen").value == ["in", "out"] * 4

    def test_many_deaths_at_once_are_told_apart(self, start: StartKernel) -> None:
        kernels = [start() for _ in range(6)]
        codes: dict[int, object] = {}

        def die(n: int) -> None:
            try:
                kernels[n].execute(f"import os; os._exit({n})")
            except KernelDied as died:
                codes[n] = died.post_mortem.exit_status

        threads = [threading.Thread(target=die, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert codes == {n: ExitStatus(code=n) for n in range(6)}


class TestBadFaults:
    def test_an_unknown_fault_lists_those_there_are(self, kernel: Kernel) -> None:
        with pytest.raises(FaultError, match="fault 'sigkil' is unknown: choose from sigkill, sigterm, .*"):
            kernel.inject("sigkil")
        assert kernel.is_alive

    def test_an_unknown_phase_lists_those_there_are(self, kernel: Kernel) -> None:
        with pytest.raises(FaultError, match="phase 'sleeping' is unknown: choose from idle"):
            kernel.inject("sigkill", phase="sleeping")
        assert kernel.is_alive


def test_a_group_signal_from_a_kernel_does_not_reach_us(kernel: Kernel) -> None:
    received = []
    before = signal.signal(signal.SIGTERM, lambda *_: received.append("SIGTERM"))
    try:
        with pytest.raises(KernelDied) as caught:
            kernel.execute("import os, signal\nos.killpg(0, signal.SIGTERM)\ntime.sleep(60)")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.post_mortem.exit_status == ExitStatus(signal=signal.SIGTERM)
    assert received == []


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "5"])
def test_what_is_no_deadline_is_refused_before_anything_is_done(kernel: Kernel, timeout: float) -> None:
    with pytest.raises(ValueError, match="must be seconds above 0"):
        kernel.execute("1", timeout=timeout)
    assert kernel.execute("1").value == 1


def test_a_cell_that_is_no_text_is_refused(kernel: Kernel) -> None:
    with pytest.raises(TypeError, match="a cell must be a string, not bytes"):
        kernel.execute(b"1")  # type: ignore[arg-type]
    assert kernel.is_alive
