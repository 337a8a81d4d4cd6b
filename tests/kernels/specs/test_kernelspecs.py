"""Which interpreter an installed kernelspec runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.specs.kernelspecs import interpreter_of
from pytest_tfkernel.model.errors import SpecError

pytest.importorskip("jupyter_client")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one that is installed under the name `mine`."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    folder = tmp_path / "kernels" / "mine"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, argv: Any) -> None:
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "mine", "language": "python"}))


@pytest.mark.parametrize(
    ("first", "python"),
    [
        ("/opt/python", "/opt/python"),
        ("python", sys.executable),
        (f"python{sys.version_info[0]}", sys.executable),
        ("python2", "python2"),
    ],
)
def test_it_is_the_first_word_and_pytests_own_by_its_short_names(installed: Path, first: str, python: str) -> None:
    write(installed, [first, "-m", "ipykernel_launcher"])
    assert interpreter_of("mine") == python


def test_one_that_is_not_installed_says_which_are(installed: Path) -> None:
    write(installed, ["python"])
    with pytest.raises(
        SpecError, match=r"^kernelspec='of-nobody' is not installed; `jupyter kernelspec list` has: .*mine"
    ):
        interpreter_of("of-nobody")


def test_one_that_runs_nothing_says_so(installed: Path) -> None:
    write(installed, [])
    with pytest.raises(SpecError, match="^kernelspec='mine' runs nothing: its argv is empty$"):
        interpreter_of("mine")


def test_one_that_is_no_kernelspec_is_a_line(installed: Path) -> None:
    (installed / "kernel.json").write_text("{")
    with pytest.raises(SpecError, match=r"^kernelspec='mine' can't be read \(\w+: "):
        interpreter_of("mine")


def test_without_jupyter_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyter_client.kernelspec", None)
    with pytest.raises(SpecError, match=r"^kernelspec='mine' needs jupyter_client beside pytest: .*pip install"):
        interpreter_of("mine")
