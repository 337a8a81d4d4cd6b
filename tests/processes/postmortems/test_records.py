"""Deaths as files: of several processes at once, and where nothing can be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stories
from accounts import as_nobody
from pytest_tfkernel._child import deaths
from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.processes.postmortems import records
from stories import dead

FOUND = dead(Cause.SIGNAL, Killer.SELF, signal=11)


def _place(base: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(base)}


def test_one_is_written_for_its_user_alone(tmp_path: Path) -> None:
    path = records.keep(FOUND, _place(tmp_path / "new"), kernel="id", cell_number=3)
    assert path is not None
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (told,) = deaths.records(str(path.parent), 9)
    assert (told["kernel"], told["cell_number"], told["signal"], told["last_cell"]) == ("id", 3, 11, "python train.py")
    assert json.loads(path.read_text(encoding="utf-8")) == told


def test_the_last_hundred_stay(tmp_path: Path) -> None:
    first = records.keep(FOUND, _place(tmp_path))
    assert first is not None
    for number in range(records.KEPT + 20):
        (first.parent / f"{number:020d}-1.json").write_text("{}", encoding="utf-8")
    # By no name of our making.
    others = [first.parent / name for name in ("notes.txt", "00.json", ".00.json")]
    abandoned, fresh = first.parent / f".{0:020d}-1.json", first.parent / f".{0:020d}-2.json"
    for one in (abandoned, fresh, *others):
        one.touch()
    for one in (abandoned, *others):
        os.utime(one, (0, 0))
    latest = records.keep(FOUND, _place(tmp_path))
    assert latest is not None
    names = deaths.names(str(first.parent))
    assert (len(names), names[-1], first.name in names) == (records.KEPT, latest.name, True)
    assert [one for one in others if not one.exists()] == []
    assert (abandoned.exists(), fresh.exists()) == (False, True)


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from stories import dead; from pytest_tfkernel.model.processes import Cause, Killer\n"
        "from pytest_tfkernel.processes.postmortems import records\n"
        "found = dead(Cause.SIGNAL, Killer.SELF, signal=11)\n"
        "print(sum(records.keep(found) is not None for _ in range(60)))"
    )
    environment = {**os.environ, **_place(tmp_path), "PYTHONPATH": str(Path(stories.__file__).parent)}
    command = [sys.executable, "-c", code]
    several = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    assert [one.communicate()[0] for one in several] == [b"60\n"] * 3
    place = deaths.folder(_place(tmp_path))
    assert len(deaths.records(place, 1000)) == len(deaths.names(place))
    assert 0 < len(deaths.names(place)) <= records.KEPT + 2
    assert not [name for name in os.listdir(place) if name.startswith(".")]


class TestNotWritten:
    def test_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert records.keep(FOUND, _place(tmp_path / "file")) is None

    def test_without_a_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os.path, "expanduser", lambda _: "~")
        assert records.keep(FOUND, {}) is None

    def test_into_a_folder_of_others_or_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "pytest-tfkernel").mkdir()
        (tmp_path / "pytest-tfkernel" / "deaths").symlink_to(tmp_path / "elsewhere")
        assert records.keep(FOUND, _place(tmp_path)) is None
        (tmp_path / "pytest-tfkernel" / "deaths").unlink()
        (tmp_path / "pytest-tfkernel" / "deaths").mkdir()
        (tmp_path / "pytest-tfkernel" / "deaths").chmod(0o777)
        assert records.keep(FOUND, _place(tmp_path)) is None
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_where_that_is_not_allowed(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        assert as_nobody(lambda: records.keep(FOUND, _place(tmp_path)) is None) is True

    def test_on_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(json, "dump", full)
        assert records.keep(FOUND, _place(tmp_path)) is None
        assert os.listdir(deaths.folder(_place(tmp_path))) == []
