"""Environments are made once, and used again; what isn't whole never looks so."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_tfkernel.upgrade.building import BuiltEnvironment, InstallError
from pytest_tfkernel.upgrade.environments import MARKER, Environments
from pytest_tfkernel.upgrade.installing import InstallFailure
from pytest_tfkernel.upgrade.progress import Progress
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs


class Builds:
    """Stands in for a builder: notes what it is asked for, and fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: BaseException | None = None

    def build(self, found: BuiltEnvironment, recipe: Recipe, what: str) -> None:
        assert not (found.folder / MARKER).exists()
        self.asked.append(f"build {what}")
        found.python.parent.mkdir(parents=True)
        found.python.touch()
        self._fail()

    def renew(self, found: BuiltEnvironment, recipe: Recipe, what: str, anew: Sequence[str]) -> None:
        assert not (found.folder / MARKER).exists()
        self.asked.append(f"renew {' '.join(Path(one).name for one in anew)}")
        self._fail()

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class Kept:
    """The environments of a folder, with a clock that is set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "environments"
        self.folder.mkdir()
        self.builds = Builds()
        self.said: list[str] = []
        self.now = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
        progress = Progress(self.said.append, watched=False)
        self.all = Environments(self.folder, self.builds, progress, lambda: self.now)
        (folder / "plugin.whl").write_text("1")
        (folder / "requirements.txt").write_text("numpy")
        (folder / "project").mkdir()
        words = ("-r", str(folder / "requirements.txt"), str(folder / "project"))
        sources = (folder / "requirements.txt", folder / "project")
        installs = Installs(words, sources, frozenset({str(folder / "requirements.txt")}))
        self.recipe = Recipe(("tensorflow-cpu==2.20.*",), installs, "python", folder / "plugin.whl")

    def get(self, *, fresh: bool = False) -> BuiltEnvironment:
        self.builds.asked.clear()
        self.said.clear()
        return self.all.get(self.recipe, "it", fresh=fresh)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_it_is_made_once_and_says_how_old_it_is(kept: Kept) -> None:
    assert not kept.all.has(kept.recipe)
    made = kept.get()
    assert kept.builds.asked == ["build it"]
    assert kept.all.has(kept.recipe)
    for hours, age in ((0, "less than a minute"), (0.5, "30 minutes"), (1, "1 hour"), (30, "1 day"), (100, "4 days")):
        kept.now = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(hours=hours)
        assert kept.get() == made
        assert (kept.builds.asked, kept.said) == ([], [f"upgrade: it: used again, made {age} ago\n"])
    kept.get(fresh=True)
    assert kept.builds.asked == ["build it"]


def test_what_has_changed_is_installed_anew(kept: Kept, tmp_path: Path) -> None:
    kept.get()
    (tmp_path / "plugin.whl").write_text("2")
    kept.get()
    assert kept.builds.asked == ["renew plugin.whl"]
    assert "used again, made less than a minute ago, what has changed is installed anew" in kept.said[0]
    (tmp_path / "project/code.py").touch()
    kept.get()
    assert kept.builds.asked == ["renew project"]
    kept.get()
    assert kept.builds.asked == []
    # What such a file doesn't name any more would stay.
    (tmp_path / "requirements.txt").write_text("scipy")
    kept.get()
    assert kept.builds.asked == ["build it"]


@pytest.mark.parametrize("failure", [InstallError("no", InstallFailure("no")), KeyboardInterrupt()])
def test_what_is_not_whole_is_made_anew(kept: Kept, tmp_path: Path, failure: BaseException) -> None:
    kept.builds.failure = failure
    with pytest.raises(type(failure)):
        kept.get()
    assert not kept.all.has(kept.recipe)
    # It would fill a disk that is full.
    assert (kept.folder / kept.recipe.name).exists() == isinstance(failure, KeyboardInterrupt)
    kept.builds.failure = None
    kept.get()
    assert kept.builds.asked == ["build it"]
    (tmp_path / "plugin.whl").write_text("2")
    kept.builds.failure = failure
    with pytest.raises(type(failure)):
        kept.get()
    assert not kept.all.has(kept.recipe)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "\xff"])
def test_a_marker_that_says_nothing_is_none(kept: Kept, text: str) -> None:
    made = kept.get()
    (made.folder / MARKER).write_text(text, encoding="latin-1")
    kept.get()
    assert kept.builds.asked == ["build it"]


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-01T00:00:00"])
def test_nor_is_one_without_a_date(kept: Kept, date: str) -> None:
    path = kept.get().folder / MARKER
    path.write_text(json.dumps({**json.loads(path.read_text()), "made": date}))
    kept.get()
    assert kept.builds.asked == ["build it"]


def test_one_whose_interpreter_is_gone_is_made_anew(kept: Kept) -> None:
    kept.get().python.unlink()
    kept.get()
    assert kept.builds.asked == ["build it"]


def test_it_can_be_removed(kept: Kept) -> None:
    made = kept.get()
    kept.all.remove(made)
    assert not made.folder.exists()
    kept.all.remove(made)
