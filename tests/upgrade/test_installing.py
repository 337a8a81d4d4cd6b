"""What installers say, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.upgrade import installing
from pytest_tfkernel.upgrade.errors import UpgradeError

PIP_MISSING = """\
Looking in links: /wheels
ERROR: Could not find a version that satisfies the requirement tensorflow-cpu==9.9.* (from versions: 2.20.0, 2.21.0)
ERROR: No matching distribution found for tensorflow-cpu==9.9.*
[notice] A new release of pip is available: 23.2.1 -> 26.3
"""
PIP_CONFLICT = """\
Processing ./demo
ERROR: Cannot install -r a.txt (line 1) and tensorflow-cpu==2.21.* because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested tensorflow-cpu==2.21.*
    The user requested tensorflow-cpu==2.20.0

To fix this you could try to:
1. loosen the range of package versions you've specified
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/
"""
PIP_NO_NETWORK = """\
WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError('refused')': /simple/x/
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
PIP_BUILD = "  error: subprocess-exited-with-error\n  note: This error originates from a subprocess\nERROR: Failed building wheel for demo\n"
UV_MISSING = """\
  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because there is no version of tensorflow-cpu==9.9.* and you require
      tensorflow-cpu==9.9.*, we can conclude that your requirements are unsatisfiable.

      hint: nothing
"""
UV_OTHERS = """\
  x No solution found when resolving dependencies:
  cause: Because only tensorflow-cpu<=2.21.0 is available and you require tensorflow-cpu==9.9.*, we can conclude that
         your requirements are unsatisfiable.
"""
UV_WHEEL = """\
  x No solution found when resolving dependencies:
  cause: Because tensorflow-cpu==2.30.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you require
         tensorflow-cpu==2.30.0, we can conclude that your requirements are unsatisfiable.
"""
UV_CONFLICT = """\
  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because you require tensorflow-cpu==2.21.* and tensorflow-cpu==2.20.0, we can conclude that your
      requirements are unsatisfiable.
"""


@pytest.mark.parametrize(
    ("log", "why", "missing"),
    [
        (
            PIP_MISSING,
            "Could not find a version that satisfies the requirement tensorflow-cpu==9.9.* (from",
            "tensorflow-cpu==9.9.*",
        ),
        (
            UV_MISSING,
            "No solution found when resolving dependencies: Because there is no version",
            "tensorflow-cpu==9.9.*",
        ),
        (UV_OTHERS, "No solution found when resolving dependencies: cause: Because only", "tensorflow-cpu"),
        (UV_WHEEL, "No solution found when resolving dependencies: cause: Because tensor", "tensorflow-cpu==2.30.0"),
        (PIP_BUILD, "Failed building wheel for demo", ""),
        ("something\nelse\n", "else", ""),
        ("", "it said nothing, as where there was no room on the disk to say it", ""),
    ],
    ids=["pip", "uv", "uv has others", "uv has a wheel", "a build", "no error", "nothing"],
)
def test_what_is_wrong_is_said_in_their_words(log: str, why: str, missing: str) -> None:
    found = installing.explain(log)
    assert found.why.startswith(why)
    assert "\n" not in found.why
    assert (found.missing, found.is_general, found.is_conflict) == (missing, False, False)


@pytest.mark.parametrize("log", [PIP_CONFLICT, UV_CONFLICT], ids=["pip", "uv"])
def test_a_conflict_names_both(log: str) -> None:
    found = installing.explain(log)
    assert found.is_conflict
    assert "tensorflow-cpu==2.21.*" in found.why
    assert "tensorflow-cpu==2.20.0" in found.why
    assert "\n" not in found.why


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (PIP_NO_NETWORK, "the index can't be reached: WARNING: Retrying"),
        ("error: Failed to fetch: `https://x`\n  Caused by: dns error\n", "the index can't be reached: Caused by: dns"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "there is no room",
        ),
        ("error: Failed to install: x\n  Caused by: No space left on device (os error 28)\n", "there is no room"),
    ],
)
def test_some_things_hold_for_whatever_is_installed_next(log: str, why: str) -> None:
    found = installing.explain(log)
    assert found.why.startswith(why)
    assert found.is_general


def test_where_there_is_no_room_nothing_can_be_said() -> None:
    assert installing.explain("", free=4096).why.startswith("there is no room")
    assert (
        installing.explain("", free=1 << 30).why == "it said nothing, as where there was no room on the disk to say it"
    )


def test_long_words_are_cut() -> None:
    assert len(installing.explain(f"ERROR: {'x' * 5000}").why) < 700


def test_uv_is_taken_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installing.choose(None).name == "pip"
    with pytest.raises(UpgradeError, match="there is no uv on PATH"):
        installing.choose("uv")
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert installing.choose(None).name == "uv"
    assert installing.choose("pip").name == "pip"


def test_installers_are_told_where_and_what() -> None:
    python, folder = Path("/e/bin/python"), Path("/e")
    for installer in (installing.Uv("/bin/uv"), installing.Pip()):
        made = installer.create("/usr/bin/python3", folder)
        assert {"/usr/bin/python3", "/e", "venv"} <= set(made)
        words = installer.install(python, ("a", "-r", "b"))
        assert words[-3:] == ("a", "-r", "b")
        assert "/e/bin/python" in words
