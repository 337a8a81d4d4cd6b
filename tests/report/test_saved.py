"""Saved runs: what is found by a number, a name or `last`, and that no number is given twice."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import documents
from histories import on
from pytest_tfkernel.report.saved import SavedRuns, check_name
from pytest_tfkernel.report.store import DocumentError

START = documents.start(on(1))
Save = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path) -> SavedRuns:
    return SavedRuns(tmp_path / ".tfkernel")


@pytest.fixture
def save(saved: SavedRuns) -> Save:
    """Save a run, or what one that was killed leaves."""

    def save_one(name: str = "", *, whole: bool = True) -> Path:
        path = saved.claim(name, START)
        run = documents.document(1)
        return documents.write(path, run if whole else msgspec.structs.replace(run, end=None))

    return save_one


def test_each_run_has_the_next_number_and_says_when_and_with_what(saved: SavedRuns, save: Save) -> None:
    assert save().name == "0001_20260101T031500Z_tf2.21.0-py3.11.json"
    assert save("nightly_2.x").name == "0002_20260101T031500Z_tf2.21.0-py3.11_nightly_2.x.json"
    assert [(one.number, one.name, one.whole) for one in saved.runs()] == [(1, "", True), (2, "nightly_2.x", True)]
    assert (saved.folder / ".gitignore").read_text() == "*\n"
    assert len(list(saved.folder.iterdir())) == 3


def test_a_gitignore_of_the_users_stays(saved: SavedRuns, save: Save) -> None:
    saved.folder.mkdir()
    (saved.folder / ".gitignore").write_text("!0001*\n")
    save()
    assert (saved.folder / ".gitignore").read_text() == "!0001*\n"


def test_a_run_is_found_by_number_by_name_and_as_the_last(saved: SavedRuns, save: Save) -> None:
    first, second, third, killed = save("a"), save("b"), save("a"), save("c", whole=False)
    assert saved.find("1") == saved.find("0001") == first
    assert saved.find("a") == third
    assert saved.find_all("a") == [first, third]
    assert saved.find("b") == second
    # One that was cut short is no run to be compared with, unless it is asked for.
    assert saved.find("last") == third
    assert saved.find("4") == saved.find("c") == killed
    assert [one.path for one in saved.last(2)] == [second, third]


def test_a_file_is_itself_whatever_runs_are_called(
    saved: SavedRuns, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = save("a")
    monkeypatch.chdir(saved.folder.parent)
    Path("a").write_text("{}")
    Path("1").mkdir()
    assert saved.find("a") == Path("a")
    assert saved.find("1") == run
    assert saved.find("./a") == Path("a")
    assert saved.find("none.json") == Path("none.json")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nightli", "nightli is neither a file nor a saved run: did you mean nightly?"),
        ("zzz", "{} has numbers 1 to 2, named nightly"),
        ("7", "7 is neither a file nor a saved run: {} has numbers 1 to 2, named nightly"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(saved: SavedRuns, save: Save, word: str, said: str) -> None:
    save()
    save("nightly")
    with pytest.raises(DocumentError) as caught:
        saved.find(word)
    assert str(caught.value).endswith(said.format(saved.folder))


def test_before_the_first_run_there_is_none(saved: SavedRuns) -> None:
    for word in ("last", "1"):
        with pytest.raises(DocumentError, match=f"{word}: no run was saved in .* yet; --tfkernel-save keeps one"):
            saved.find(word)
    # Nobody has used numbers and names here: it is a file.
    assert saved.find("ref") == Path("ref")
    with pytest.raises(DocumentError, match="no whole runs saved in .*, and two are needed"):
        saved.last(2)


def test_the_last_two_are_not_those_before_a_run_that_was_lost(saved: SavedRuns, save: Save) -> None:
    first, second = save(), save()
    assert saved.last_two() == (first, second)
    killed = save(whole=False)
    with pytest.raises(
        DocumentError, match=f"{second.name} is from an older run than {killed.name}, whose run did not"
    ):
        saved.last_two()
    killed.unlink()
    assert saved.last_two() == (first, second)


def test_nearest_is_that_of_a_folder_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".tfkernel").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert SavedRuns.nearest().folder == tmp_path / ".tfkernel"
    (tmp_path / "a" / ".tfkernel").mkdir()
    assert SavedRuns.nearest().folder == tmp_path / "a" / ".tfkernel"
    monkeypatch.chdir(tmp_path / "a")
    assert SavedRuns.nearest().folder == Path(".tfkernel")
    monkeypatch.chdir(below)
    below.rmdir()
    assert SavedRuns.nearest().runs() == []


@pytest.mark.parametrize(
    "name", ["nightly", "2.22.0.dev20260905", "a_b", "3rd", "x" * 80, "tf2.21.0+numpy-2", "lasting"]
)
def test_names_that_can_be(name: str) -> None:
    assert check_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "7",
        "last",
        "a/b",
        "..",
        ".hidden",
        "-x",
        "a b",
        "a\n",
        "\u00e9",
        "x" * 81,
        "run.json",
        "a.html",
        "tests/x.py::y",
    ],
)
def test_names_that_cannot_be_say_why(name: str) -> None:
    assert check_name(name)


def test_sessions_at_once_never_share_a_number(saved: SavedRuns) -> None:
    names = [f"n{number}" for number in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda name: saved.claim(name, START), names))
    assert len({one.name.partition("_")[0] for one in paths}) == len(names)
    assert len(saved.runs()) == len(names)
    assert [name for name in os.listdir(saved.folder) if name.startswith(".") and name != ".gitignore"] == []


def test_a_number_that_another_session_has_taken_since_the_look_is_not_taken(
    saved: SavedRuns, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a")
    save("b")
    # As of a look before both.
    monkeypatch.setattr(SavedRuns, "_free", lambda _, least: least)
    assert save("c").name.startswith("0003_")


def test_a_number_that_another_session_takes_is_not_taken(saved: SavedRuns, save: Save) -> None:
    save()
    # It has the number, and was killed before it had a file.
    (saved.folder / ".0002").touch()
    assert save().name.startswith("0003_")
    assert save().name.startswith("0004_")


def test_what_was_renamed_removed_or_put_there_by_hand_is_taken_as_it_is(saved: SavedRuns, save: Save) -> None:
    save("a").rename(saved.folder / "0005.json")
    save("b").rename(saved.folder / "12_mine.json")
    for name in ("notes.txt", "x.json", "7", "0008.json.4711", "\udcff.json", "99999999999999.json"):
        (saved.folder / name).touch()
    assert [(one.number, one.name) for one in saved.runs()] == [(5, ""), (12, "mine")]
    assert saved.find("5").name == "0005.json"
    assert saved.find("mine").name == "12_mine.json"
    assert save().name.startswith("0013_")
    (saved.folder / "5_again.json").touch()
    with pytest.raises(DocumentError, match="5: several saved runs have this number, .*: name the file"):
        saved.find("5")


def test_only_names_are_read(saved: SavedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    saved.folder.mkdir()
    for number in range(1, 101):
        (saved.folder / f"{number:04}_20260101T031500Z_tf2.21.0-py3.11_n{number % 7}.json").symlink_to("/nonexistent")
    opened: list[object] = []
    monkeypatch.setattr(Path, "read_bytes", opened.append)
    monkeypatch.setattr(Path, "stat", lambda path, **_: opened.append(path))
    assert saved.last(1)[0].number == 100
    assert len(saved.runs()) == 100
    assert opened == []


@pytest.mark.parametrize("obstacle", ["file", "above"])
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, obstacle: str) -> None:
    (tmp_path / "there").write_text("")
    folder = tmp_path / "there" if obstacle == "file" else tmp_path / "there" / ".tfkernel"
    with pytest.raises(DocumentError, match=r"can't be written: .*; leave --tfkernel-save out, or make room there$"):
        SavedRuns(folder).claim("", START)


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".tfkernel").write_text("")
    with pytest.raises(DocumentError, match="can't be read: Not a directory"):
        SavedRuns(tmp_path / ".tfkernel").find("last")
