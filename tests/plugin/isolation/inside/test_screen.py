"""What is printed while the screen is shown is there, and nowhere else at any other time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_tfkernel.plugin.isolation.inside.screen import Screen


@pytest.fixture
def files() -> Iterator[tuple[int, int]]:
    """Two files in the place of pytest's stdout and stderr."""
    made = os.memfd_create("out"), os.memfd_create("err")
    yield made
    for descriptor in made:
        os.close(descriptor)


def read(descriptor: int) -> str:
    return os.pread(descriptor, 1000, 0).decode()


def test_it_is_shown_and_hidden(files: tuple[int, int], capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen(files)
    os.write(1, b"before ")
    with screen.shown():
        os.write(1, b"one ")
        os.write(2, b"two ")
        with screen.hidden():
            os.write(1, b"elsewhere ")
        os.write(1, b"three")
    # Nothing to show any more.
    screen.show()
    os.write(1, b"after")
    assert (read(files[0]), read(files[1])) == ("one three", "two ")
    assert capfd.readouterr() == ("before elsewhere after", "")
    assert not os.get_inheritable(files[0])


def test_what_a_test_has_put_there_stays(files: tuple[int, int], capfd: pytest.CaptureFixture[str]) -> None:
    screen, kept, other = Screen(files), os.dup(1), os.memfd_create("other")
    try:
        with screen.shown():
            assert not screen.is_covered()
            os.dup2(other, 1)
            assert screen.is_covered()
            with screen.hidden():
                os.write(1, b"a")
            os.write(1, b"b")
        os.write(1, b"c")
        assert not screen.is_covered()
        assert read(other) == "abc"
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(other)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("closed", [0, 1])
def test_what_a_test_has_closed_is_left_alone(closed: int, capfd: pytest.CaptureFixture[str]) -> None:
    files = os.memfd_create("out"), os.memfd_create("err")
    screen = Screen(files)
    os.close(files[closed])
    with screen.shown():
        os.write(1, b"where it was")
    assert capfd.readouterr().out == "where it was"
    os.close(files[not closed])


def test_a_pytest_without_a_terminal_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    gone = os.memfd_create("gone")
    os.close(gone)
    screen = Screen((gone, gone))
    with screen.shown(), screen.hidden():
        os.write(1, b"where it was")
    assert capfd.readouterr().out == "where it was"
