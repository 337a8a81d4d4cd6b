"""`--tfkernel-gate` and its ini value."""

from __future__ import annotations

import pytest

from gated import Run, section
from inner import Inner, counts


class TestModes:
    def test_warn_lists_and_fails_nothing(self, run: Run) -> None:
        result = run("def test_leaks(): sleeper()\n", option="--tfkernel-gate=warn")
        assert (result.ret, counts(result)) == (0, {"passed": 1})
        assert section(result)[0] == "test_mine.py::test_leaks"
        assert "left behind: process " in section(result)[1]

    @pytest.mark.parametrize(("mode", "code"), [("fail", 1), ("warn", 0), ("off", 0)])
    def test_ini_value_chooses(self, run: Run, gated: Inner, mode: str, code: int) -> None:
        gated.write("pytest.ini", f"[pytest]\ntfkernel_gate = {mode}\n")
        result = run("def test_leaks(): sleeper()\n", option="")
        assert result.ret == code
        assert bool(section(result)) == (mode != "off")

    def test_option_wins_over_the_ini_value(self, run: Run, gated: Inner) -> None:
        gated.write("pytest.ini", "[pytest]\ntfkernel_gate = fail\n")
        assert counts(run("def test_leaks(): sleeper()\n", option="--tfkernel-gate=off")) == {"passed": 1}

    def test_path_beside_the_option_is_a_path(self, run: Run, gated: Inner) -> None:
        gated.write("test_other.py", "def test_other(): pass\n")
        assert counts(run("def test_mine(): pass\n", "test_other.py")) == {"passed": 1}

    def test_unknown_one_is_an_error_in_a_line(self, run: Run, gated: Inner) -> None:
        gated.write("pytest.ini", "[pytest]\ntfkernel_gate = maybe\n")
        result = run("def test_mine(): pass\n", option="")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: tfkernel_gate = maybe: unknown; choose from fail, warn, off"])

    def test_elsewhere_than_on_linux_it_says_so(self, run: Run, gated: Inner) -> None:
        gated.write(
            "elsewhere.py",
            """
import sys

def pytest_load_initial_conftests():
    sys.platform = "darwin"

def pytest_sessionstart():
    sys.platform = "linux"
""",
        )
        result = run("def test_leaks(): sleeper()\n", "-p", "elsewhere")
        assert counts(result) == {"passed": 1}
        result.stdout.fnmatch_lines(["tfkernel gate: it works on Linux only; nothing is looked at"])
        assert section(result) == ["it works on Linux only; nothing is looked at"]

    def test_where_proc_is_of_another_namespace_nobody_is_blamed(self, run: Run, gated: Inner) -> None:
        # A process with the number that pytest has in its own namespace is another one there.
        gated.write(
            "foreign.py",
            """
import posix
from pytest_tfkernel._child import system

def pytest_load_initial_conftests():
    system._Kept.getpid = staticmethod(lambda: posix.getpid() + 1)
""",
        )
        result = run("def test_leaks(): sleeper()\n", "-p", "foreign")
        assert counts(result) == {"passed": 1}
        (line,) = section(result)
        assert line.startswith("/proc shows us as process ")
        assert line.endswith("(`unshare --mount-proc`); nothing is looked at")


def test_limits_of_the_process_are_restored(run: Run) -> None:
    result = run(
        """
import resource
def pytest_unused(): pass
def test_mine():
    assert resource.getrlimit(10)[0] != resource.RLIM_INFINITY
    atexit.register(lambda: print("limit", resource.getrlimit(10)))
""",
        "-s",
    )
    result.stdout.fnmatch_lines(["limit (-1, -1)"])
