"""A script in a kernel of Jupyter's or Spyder's."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hosted_kernels import JUPYTER, SPYDER, Kind
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.processes import Cause
from pytest_tfkernel.run import managed
from pytest_tfkernel.run.wishes import RunWishes

SOURCE = """
import os, sys
print(__name__, ascii(sys.argv[1:]), os.path.basename(__file__), os.getcwd())
if sys.argv[1:]:
    sys.exit(int(sys.argv[1]))
import ctypes
ctypes.string_at(0)
"""


@pytest.fixture
def wish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunWishes]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "a script.py").write_text(SOURCE, encoding="utf-8")

    def make(provisioner: str, *arguments: str) -> RunWishes:
        import sys

        return RunWishes(tmp_path / "a script.py", arguments, sys.executable, provisioner)

    return make


HOSTILE = [
    "*.py",
    "$HOME",
    "{1+1}",
    "~",
    'a"b',
    "c'd",
    "x;y",
    "!ls",
    "\\n",
    "",
    "#c",
    "-x",
    "--args",
    "$sys",
    "n\nx",
    "\udcff",
]


@pytest.mark.parametrize("hostile", [["a b"], HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("kind", [JUPYTER, SPYDER], ids=str)
def test_it_runs_there_as_a_person_runs_it(
    kind: Kind,
    hostile: list[str],
    wish: Callable[..., RunWishes],
    launcher: Launcher,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    kind.python(launcher)
    if hostile is HOSTILE:
        # How it begins is seen once.
        request.getfixturevalue("forked_hosts")
    story = managed.run(wish(kind.provisioner, "3", *hostile))
    assert (story.code, story.has_died) == (3, False)
    assert f"__main__ {['3', *hostile]!a} a script.py {Path.cwd()}\n" in capfd.readouterr().out


def test_the_cell_is_the_line_that_a_person_writes(wish: Callable[..., RunWishes]) -> None:
    wishes = wish("jupyter", "--x", "a b")
    path = f"'{wishes.file}'"
    assert managed.cell_of(wishes, is_spyder=False) == f"%run {path} --x 'a b'"
    assert managed.cell_of(wishes, is_spyder=True).startswith(f"%runfile {path} ")


@pytest.mark.usefixtures("forked_hosts")
def test_its_death_is_that_of_the_kernel(wish: Callable[..., RunWishes], launcher: Launcher) -> None:
    JUPYTER.python(launcher)
    story = managed.run(wish("jupyter"))
    assert (story.code, story.has_died, story.post_mortem.cause) == (128 + signal.SIGSEGV, True, Cause.SIGNAL)
    assert "a script.py" in story.post_mortem.stack


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (CellError("ValueError", "x", ""), 1),
        (CellError("SystemExit", "4", ""), 4),
        (CellError("SystemExit", "", ""), 0),
        (CellError("builtins.SystemExit", "why", ""), 1),
    ],
)
def test_the_exit_code_of_what_ends_in_a_kernel_that_goes_on(error: CellError | None, code: int) -> None:
    assert managed.code_of(error) == code
