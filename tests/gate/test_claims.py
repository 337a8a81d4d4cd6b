"""What pytest's own process makes, told by its audit events."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.model.resources import Kind


@pytest.fixture
def claimed(folder: Path, tmp_path: Path) -> Iterator[Callable[..., dict[str, Kind]]]:
    """Do something; what was claimed meanwhile, by its path in the folder."""
    (folder / "project").mkdir()
    claims = Claims((f"{folder}/base",), (folder / "project",))
    claims.start()

    def claimed(act: Callable[[], object], *, outside: bool = False) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        claims.turn(found, outside=outside)
        with contextlib.suppress(OSError):
            act()
        claims.turn({}, outside=True)
        return {path.removeprefix(f"{folder}/"): kind for path, kind in found.items()}

    yield claimed
    claims.stop()


Claimed = Callable[..., dict[str, Kind]]


def test_a_listener_hears_of_each(folder: Path) -> None:
    heard: list[tuple[str, Kind]] = []
    claims = Claims()
    claims.listener = lambda path, kind: heard.append((path, kind))
    claims.start()
    claims.turn({}, outside=False)
    (folder / "one").touch()
    shared = os.memfd_create("none")
    os.truncate(shared, 1)
    claims.stop()
    os.close(shared)
    assert heard == [(str(folder / "one"), Kind.FILE)]


def bind(family: int, address: object) -> None:
    with socket.socket(family) as one:
        one.bind(address)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "act",
    [
        lambda folder: (folder / "one").write_text("one"),
        lambda folder: (folder / "one").touch(),
        lambda folder: open(os.fsencode(folder / "one"), "wb").close(),  # noqa: PTH123 - a name in bytes
        lambda folder: os.close(os.open(folder / "one", os.O_CREAT | os.O_WRONLY)),
        lambda folder: (folder / "one").mkdir(),
        lambda folder: (folder / "one").symlink_to("nowhere"),
        lambda folder: sqlite3.connect(folder / "one").close(),
    ],
)
def test_file_that_is_made_is_claimed(claimed: Claimed, folder: Path, act: Callable[[Path], object]) -> None:
    assert claimed(lambda: act(folder)) == {"one": Kind.FILE}


def test_name_with_bytes_of_no_encoding_and_newlines_is_claimed(claimed: Claimed, folder: Path) -> None:
    name = b"a\xff\nb"
    (path,) = claimed(lambda: open(os.fsencode(folder) + b"/" + name, "wb").close())  # noqa: PTH123
    assert os.fsencode(path) == name


def test_relative_path_is_claimed(claimed: Claimed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert claimed(lambda: Path("one").touch()) == {"one": Kind.FILE}


def test_file_of_another_thread_is_claimed(claimed: Claimed, folder: Path) -> None:
    def act() -> None:
        thread = threading.Thread(target=(folder / "one").touch)
        thread.start()
        thread.join()

    assert claimed(act) == {"one": Kind.FILE}


def test_link_and_new_name_of_a_claimed_file_are_claimed(claimed: Claimed, folder: Path) -> None:
    def act() -> None:
        (folder / "one").touch()
        os.link(folder / "one", folder / "two")
        (folder / "one").rename(folder / "three")

    assert claimed(act) == dict.fromkeys(("one", "two", "three"), Kind.FILE)


def test_what_is_moved_here_is_claimed(claimed: Claimed, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert claimed(lambda: (tmp_path / "one").rename(folder / "two")) == {"two": Kind.FILE}
    assert claimed(lambda: (folder / "two").rename(folder / "three")) == {}


def test_socket_is_claimed_anywhere(claimed: Claimed, folder: Path) -> None:
    def act() -> None:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(folder / "project/socket"))

    assert claimed(act) == {"project/socket": Kind.SOCKET}


@pytest.mark.parametrize("outside", [False, True])
def test_what_tempfile_makes_is_claimed_anywhere(claimed: Claimed, folder: Path, outside: bool) -> None:
    assert set(claimed(lambda: tempfile.mkdtemp(dir=folder / "project"), outside=outside).values()) == {Kind.FILE}
    assert len(claimed(lambda: os.close(tempfile.mkstemp(dir=folder)[0]), outside=outside)) == 1


def test_shared_memory_is_claimed_by_its_size(claimed: Claimed) -> None:
    # As `shm_open` does it, without an audit event that names the path.
    name = Path(f"/dev/shm/tfkernel-{os.getpid()}")
    descriptor = os.open(name, os.O_CREAT | os.O_RDWR)
    try:
        assert claimed(lambda: os.ftruncate(descriptor, 10)) == {str(name): Kind.SHARED_MEMORY}
    finally:
        os.close(descriptor)
        name.unlink()


def test_a_file_whose_name_is_the_number_of_a_descriptor_is_no_shared_memory(
    claimed: Claimed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    name = Path(f"/dev/shm/tfkernel-{os.getpid()}")
    with name.open("wb") as shared:
        Path(str(shared.fileno())).touch()
        try:
            assert claimed(lambda: os.truncate(str(shared.fileno()), 10)) == {}
        finally:
            name.unlink()


@pytest.mark.parametrize(
    "act",
    [
        lambda folder: (folder / "old").write_text("again"),
        lambda folder: (folder / "none").read_text(),
        lambda folder: (folder / "project/one").touch(),
        lambda folder: tempfile.mkdtemp(prefix="base"),
        lambda folder: (folder / "pytest-of-me").mkdir(),
        lambda folder: (folder / "__pycache__").mkdir(),
        lambda folder: tempfile.TemporaryFile().close(),
        lambda folder: bind(socket.AF_UNIX, "\0abstract"),
        lambda folder: bind(socket.AF_INET, ("127.0.0.1", 0)),
        lambda folder: os.fdopen(os.open(os.devnull, os.O_WRONLY), "w").close(),
    ],
)
def test_what_is_no_leftover_is_not_claimed(claimed: Claimed, folder: Path, act: Callable[[Path], object]) -> None:
    (folder / "old").touch()
    assert claimed(lambda: act(folder)) == {}


def test_outside_of_tests_files_are_reports(claimed: Claimed, folder: Path) -> None:
    assert claimed((folder / "report.xml").touch, outside=True) == {}


def test_folder_that_holds_all_temporary_files_is_no_project(folder: Path) -> None:
    claims = Claims((), (folder, folder.parent, Path("/")))
    claims.start()
    try:
        found: dict[str, Kind] = {}
        claims.turn(found, outside=False)
        (folder / "one").touch()
    finally:
        claims.stop()
    assert list(found) == [str(folder / "one")]


def test_a_link_to_the_folder_hides_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "link"))
    claims = Claims((), (folder,))
    claims.start()
    try:
        found: dict[str, Kind] = {}
        claims.turn(found, outside=False)
        (folder / "one").touch()
    finally:
        claims.stop()
    assert list(found) == [str(folder / "one")]


def test_before_the_first_turn_it_is_outside(folder: Path) -> None:
    claims = Claims()
    claims.start()
    (folder / "one").touch()
    claims.stop()
    assert claims.current == {}


def test_after_its_end_nothing_is_claimed(folder: Path) -> None:
    claims = Claims()
    claims.start()
    found: dict[str, Kind] = {}
    claims.turn(found, outside=False)
    claims.stop()
    (folder / "one").touch()
    assert found == {}


def test_event_that_makes_no_sense_raises_nothing(claimed: Claimed) -> None:
    import sys

    for event in ("open", "os.mkdir", "os.rename", "os.truncate", "socket.bind", "tempfile.mkstemp"):
        for arguments in ((), (None, None, None), (object(), 1, 2), (-5, 0, "flags")):
            assert claimed(lambda event=event, arguments=arguments: sys.audit(event, *arguments)) == {}
