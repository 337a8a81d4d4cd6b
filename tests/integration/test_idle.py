"""An idle plugin: installed, and nothing of it used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inner import Inner, counts

TELL = """
import atexit
import sys
from pathlib import Path

def tell():
    Path("modules.txt").write_text(" ".join(sorted(sys.modules)))

atexit.register(tell)
"""
# What an idle session may not load. pytest itself loads none of them either.
HEAVY = ("psutil", "cloudpickle", "multiprocessing", "ctypes", "numpy", "tensorflow", "socket")
OURS = {
    "pytest_tfkernel",
    "pytest_tfkernel.plugin",
    "pytest_tfkernel.plugin.fixtures",
    "pytest_tfkernel.plugin.hooks",
    "pytest_tfkernel.plugin.options",
}


@pytest.fixture(scope="module")
def warm() -> None:
    """It is about interpreters that begin."""


@pytest.fixture
def modules(inner: Inner) -> Callable[..., set[str]]:
    """Run pytest; the modules that it had loaded at its end."""

    def run(*arguments: str) -> set[str]:
        inner.write("conftest.py", TELL)
        inner.write("test_mine.py", "def test_mine(): pass\n")
        # pytest-xdist and pytest-timeout load some of the same modules.
        inner.run(*arguments, "-p", "no:xdist", "-p", "no:timeout", "-p", "no:faulthandler")
        return set((inner.folder / "modules.txt").read_text().split())

    return run


@pytest.mark.parametrize("arguments", [("--collect-only",), (), ("--fixtures",), ("--help",)], ids=" ".join)
def test_loads_hooks_options_and_fixtures_only(modules: Callable[..., set[str]], arguments: tuple[str, ...]) -> None:
    assert {name for name in modules(*arguments) if name.startswith("pytest_tfkernel")} == OURS


def test_loads_nothing_heavy(modules: Callable[..., set[str]]) -> None:
    without = modules("--collect-only", "-p", "no:tfkernel")
    added = modules("--collect-only") - without
    assert not [name for name in added if name.partition(".")[0] in HEAVY]
    assert {name for name in added if not name.startswith("pytest_tfkernel")} <= set()


def test_starts_no_process(inner: Inner) -> None:
    inner.write(
        "test_mine.py",
        "import psutil\n\ndef test_mine():\n    assert psutil.Process().children() == []\n",
    )
    assert inner.run("-p", "no:xdist").ret == 0


class TestPluginThatIsSwitchedOff:
    def test_leaves_no_trace(self, inner: Inner) -> None:
        inner.write("test_mine.py", "def test_mine(tfkernel): pass\n")
        result = inner.run("-p", "no:tfkernel")
        assert counts(result) == {"errors": 1}
        result.stdout.fnmatch_lines(["*fixture 'tfkernel' not found"])

    def test_knows_no_option(self, inner: Inner) -> None:
        result = inner.run("-p", "no:tfkernel", "--tfkernel")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*unrecognized arguments: --tfkernel"])


def test_worker_of_an_idle_session_loads_nothing_of_ours_but_the_controllers_name(inner: Inner) -> None:
    pytest.importorskip("xdist")
    inner.write(
        "test_mine.py",
        "import sys\n\ndef test_mine():\n"
        "    assert not [name for name in sys.modules if name.startswith(('pytest_tfkernel.kernels', 'pytest_tfkernel.suite'))]\n",
    )
    assert inner.run("-n", "1").ret == 0
