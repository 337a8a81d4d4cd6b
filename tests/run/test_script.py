"""A script in a kernel: what goes in and comes out, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import tty
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.run.script import RunEnd, code_of

PlayScript = Callable[..., RunEnd]
StartKernel = Callable[..., Kernel]

AGAIN = "import os, sys\nif len(sys.argv) < 2: os.execv(sys.executable, [sys.executable, __file__, 'again'])\n"


class TestEnd:
    @pytest.mark.parametrize(
        ("source", "code"),
        [
            ("", 0),
            ("import sys; sys.exit(3)", 3),
            ("import sys; sys.exit('why')", 1),
            ("[][1]", 1),
            ("x = = 1", 1),
            ("import os; os._exit(5)", 5),
            ("import atexit, os; atexit.register(os._exit, 6)", 6),
            ("import threading, os, time\nthreading.Timer(0.05, os._exit, [7]).start()", 7),
            (f"{AGAIN}sys.exit(8)", 8),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
            ("import ctypes; ctypes.string_at(0)", 128 + signal.SIGSEGV),
            ("import os, signal; os.closerange(3, 64)", 0),
        ],
    )
    def test_its_exit_status_is_that_of_python(self, play: PlayScript, source: str, code: int) -> None:
        assert code_of(play(source).post_mortem) == code

    def test_nobody_knows_it(self, play: PlayScript) -> None:
        import dataclasses

        assert code_of(dataclasses.replace(play("").post_mortem, exit_status=None)) == 1

    def test_an_error_is_shown_without_frames_of_ours(
        self, play: PlayScript, capfd: pytest.CaptureFixture[str]
    ) -> None:
        found = play("def f(): return [][1]\nf()")
        err = capfd.readouterr().err
        assert err.startswith("Traceback (most recent call last):\n  File ")
        assert "_child" not in err
        assert "IndexError: list index out of range" in err
        assert found.post_mortem.stderr == err
        assert found.post_mortem.last_cell is not None
        assert found.post_mortem.last_cell.startswith("python ")

    def test_what_runs_on_in_the_background_is_left(self, start: StartKernel, tmp_path: Path) -> None:
        from pytest_tfkernel.run import script
        from pytest_tfkernel.run.wishes import RunWishes
        from tests.run.conftest import Idle

        file = tmp_path / "background.py"
        file.write_text("import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(62)\n", encoding="utf-8")
        kernel = start()
        played = script.play(kernel.life, RunWishes(file, (), "python", "forkserver"), Idle())
        assert played.post_mortem.exit_status == ExitStatus(code=0)
        kernel.shutdown()
        assert len(kernel.left_behind) == 1


class TestStreams:
    def test_it_reads_a_pipe_and_prints(self, play: PlayScript, capfd: pytest.CaptureFixture[str]) -> None:
        reader, writer = os.pipe()
        os.write(writer, b"asked\n")
        os.close(writer)
        found = play(
            "import sys\nprint(input(), sys.argv[1:])\nprint('aside', file=sys.stderr)", "--x", "", stdin=reader
        )
        os.close(reader)
        assert capfd.readouterr() == ("asked ['--x', '']\n", "aside\n")
        assert (found.post_mortem.stdout, found.post_mortem.stdout_cut) == ("asked ['--x', '']\n", 0)

    @pytest.mark.parametrize("provisioner", ["subprocess", "multiprocess-fork"])
    def test_however_its_process_is_made_its_streams_are_ours(
        self, play: PlayScript, provisioner: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        if provisioner != "subprocess":
            pytest.importorskip("multiprocess")
        reader, writer = os.pipe()
        os.write(writer, b"asked\n")
        os.close(writer)
        found = play("import sys\nprint(input())\nsys.exit(3)", stdin=reader, provisioner=provisioner)
        os.close(reader)
        assert (capfd.readouterr().out, code_of(found.post_mortem)) == ("asked\n", 3)

    def test_it_reads_a_terminal(self, play: PlayScript, capfd: pytest.CaptureFixture[str]) -> None:
        ours, theirs = os.openpty()
        tty.setcbreak(theirs)
        os.write(ours, b"typed\nhidden\n")
        play("import getpass, sys\nprint(sys.stdin.isatty(), input(), getpass.getpass('', sys.stderr))", stdin=theirs)
        os.close(ours)
        os.close(theirs)
        assert capfd.readouterr().out == "True typed hidden\n"

    def test_a_closed_stdin_has_nothing_to_read(self, play: PlayScript, capfd: pytest.CaptureFixture[str]) -> None:
        play("import sys\nprint(repr(sys.stdin.read()))", stdin=1 << 20)
        assert capfd.readouterr().out == "''\n"

    def test_the_last_words_are_there_and_the_rest_is_counted(
        self, play: PlayScript, capfd: pytest.CaptureFixture[str]
    ) -> None:
        found = play("import os\nfor n in range(30000): print(n, 'ü')\nos.kill(os.getpid(), 9)").post_mortem
        out = capfd.readouterr().out
        assert out.splitlines()[-1] == "29999 ü"
        assert len(out.splitlines()) == 30000
        assert out.endswith(found.stdout[-1000:])
        assert found.stdout_cut + len(found.stdout.encode()) >= len(out.encode())


class TestSignals:
    SELF = "import os, signal, sys, time\n"
    SEND = "os.kill(int(sys.argv[1]), signal.{})\ntime.sleep(62)\n"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_what_comes_to_us_goes_to_it(self, play: PlayScript, number: signal.Signals) -> None:
        found = play(self.SELF + self.SEND.format(number.name), str(os.getpid()))
        assert found.post_mortem.exit_status == ExitStatus(signal=number)
        assert (code_of(found.post_mortem), found.interrupts) == (128 + number, 1)
        assert found.post_mortem.killer in (Killer.US, Killer.UNKNOWN)

    def test_it_may_catch_it(self, play: PlayScript, capfd: pytest.CaptureFixture[str]) -> None:
        source = f"{self.SELF}try:\n    os.kill(int(sys.argv[1]), signal.SIGINT); time.sleep(62)\n"
        found = play(f"{source}except KeyboardInterrupt:\n    print('caught')", str(os.getpid()))
        assert (code_of(found.post_mortem), capfd.readouterr().out) == (0, "caught\n")

    @pytest.mark.uncovered
    def test_one_that_ignores_it_goes_on_and_answers_to_sigquit(self, play: PlayScript) -> None:
        # Both are heard here before either is passed on, and in this order.
        source = f"{self.SELF}signal.signal(signal.SIGINT, signal.SIG_IGN)\nos.kill(int(sys.argv[1]), signal.SIGINT)\n"
        found = play(source + self.SEND.format("SIGQUIT"), str(os.getpid())).post_mortem
        assert (found.exit_status, found.cause) == (ExitStatus(signal=signal.SIGKILL), Cause.DEADLINE)
        assert "Ctrl-\\" in found.note
        assert "script.py" in found.stack

    def test_our_handlers_are_back(self, play: PlayScript) -> None:
        before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGQUIT)]
        play("")
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGQUIT)] == before


def test_one_that_takes_too_long_shows_where_it_is(play: PlayScript) -> None:
    found = play("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", timeout=0.5).post_mortem
    assert (found.cause, found.killer) == (Cause.DEADLINE, Killer.US)
    assert "script.py" in found.stack
    assert "longer than 0.5 s" in found.note


def test_nothing_of_ours_stays_open(play: PlayScript) -> None:
    play("")
    before = sorted(os.listdir("/proc/self/fd"))
    play("import sys; sys.exit(1)")
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert sys.stdin is not None
