"""What a kernel prints is shown once, by whichever way it comes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from pytest_tfkernel.hosts.prints import Prints
from pytest_tfkernel.processes.output.captures import Capture


@pytest.fixture
def prints() -> Iterator[Prints]:
    prints = Prints()
    yield prints
    prints.close()


def _shown(prints: Prints) -> str:
    shown = Capture("shown", os.dup(prints.shown[0]))
    try:
        return shown.read(0, 1 << 16)[0]
    finally:
        shown.close()


def test_what_comes_before_the_first_answer_is_shown_at_once_it_has_died(prints: Prints) -> None:
    os.write(prints.given[0], b"no such module\n")
    prints.last_words()
    assert _shown(prints) == "no such module\n"


def test_without_a_pipe_what_is_written_and_what_is_published_differ(prints: Prints) -> None:
    # As it is for this process: its descriptor is a file.
    os.write(prints.given[0], b"hello ")
    prints.settle()
    prints.hear("stdout", "world ")
    os.write(prints.given[0], b"again")
    prints.settle()
    prints.last_words()
    assert _shown(prints) == "hello world again"


def test_with_a_pipe_they_are_the_same_but_for_the_last_words(prints: Prints) -> None:
    os.write(prints.given[0], b"start\n")
    # Its descriptor 1 is a pipe, as ipykernel makes one.
    reader, writer = os.pipe()
    with subprocess.Popen(["sleep", "60"], stdout=writer) as process:
        prints.look_at(process.pid)
        process.kill()
    prints.settle()
    prints.hear("stdout", "printed\nraw\nprinted too\n")
    os.write(prints.given[0], b"raw\n")
    os.write(prints.given[0], b"given only\n")
    os.write(writer, b"in the pipe\n\0")
    for descriptor in (reader, writer):
        os.close(descriptor)
    prints.last_words()
    assert _shown(prints) == "start\nprinted\nraw\nprinted too\ngiven only\nin the pipe\n"


def test_another_name_of_a_stream_is_nobodys(prints: Prints) -> None:
    prints.hear("stdlog", "what?")
    assert _shown(prints) == ""


def test_text_that_is_no_text_is_shown_as_far_as_possible(prints: Prints) -> None:
    prints.hear("stdout", "\udcff")
    assert _shown(prints) == "\\udcff"
