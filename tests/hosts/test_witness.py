"""What a kernel leaves for its post-mortem: which commands are understood, and what is read after a death."""

from __future__ import annotations

import array
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import handles
from pytest_tfkernel.hosts.witness import Statement, Witness

KERNEL = ["python3.11", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "x.json"]


@pytest.fixture
def witness() -> Iterator[Witness]:
    found = Witness(KERNEL, "id")
    yield found
    found.close()


class TestCommand:
    def test_the_role_stands_in_the_place_of_the_module(self, witness: Witness) -> None:
        assert witness.command[:2] == KERNEL[:2]
        assert witness.command[2].endswith("_child")
        assert witness.command[3:] == [
            "witness",
            *map(str, witness.descriptors),
            "id",
            "ipykernel_launcher",
            "-f",
            "x.json",
        ]

    @pytest.mark.parametrize(
        "begin", [["/usr/bin/python"], [sys.executable, "-u", "-I"], ["python3", "-Wignore", "-O"]]
    )
    @pytest.mark.parametrize("module", ["ipykernel", "spyder_kernels.console"])
    def test_interpreters_and_their_options_are_known(self, begin: list[str], module: str) -> None:
        Witness([*begin, "-m", module, "-f", "x"], "id").close()

    @pytest.mark.parametrize(
        "command",
        [
            [],
            ["python"],
            ["python", "-m"],
            ["python", "-m", "sas_kernel", "-f", "x"],
            ["python", "-c", "x"],
            ["python", "-X", "dev", "-m", "ipykernel"],
            ["conda", "run", "python", "-m", "ipykernel"],
            ["R", "-m", "ipykernel"],
            ["/bin/sleep", "60"],
        ],
    )
    def test_any_other_is_left_alone(self, command: list[str]) -> None:
        once = handles.opened()
        with pytest.raises(ValueError, match="not a"):
            Witness(command, "id")
        handles.do_not_grow(once)


class TestStatement:
    def _write(self, witness: Witness, *texts: bytes) -> None:
        for descriptor, text in zip(witness.descriptors, texts, strict=False):
            os.write(descriptor, text)

    def test_of_one_that_said_nothing(self, witness: Witness) -> None:
        assert witness.testify() == Statement()

    def test_of_one_that_died_in_a_cell(self, witness: Witness) -> None:
        cells = b'{"cell": "a", "number": 1}\n{"ended": true}\n{"cell": "b", "number": 2}\n'
        self._write(witness, b"Fatal", cells, b"out", b"err\xff")
        assert witness.testify() == Statement("b", 2, True, "Fatal", "out", "err\\xff")

    def test_of_one_that_died_between_cells(self, witness: Witness) -> None:
        self._write(witness, b"", b'{"cell": "a", "number": 7}\n{"ended": true}\n{"cel')
        assert witness.testify() == Statement("a", 7, was_running=False)

    @pytest.mark.parametrize("line", [b"nonsense", b"[]", b'{"cell": 1}', b'{"cell": "a", "number": "x"}', b"\xff"])
    def test_nonsense_is_passed_over(self, witness: Witness, line: bytes) -> None:
        self._write(witness, b"", b'{"cell": "a", "number": 7}\n' + line + b"\n")
        found = witness.testify()
        assert (found.cell, found.number) == ("a", 7)

    def test_the_last_words_in_a_pipe_of_the_dead_are_read(self, witness: Witness) -> None:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.write(writer, b"native\0")
        rights = array.array("i", [reader])
        with socket.socket(fileno=os.dup(witness.descriptors[-1])) as theirs:
            theirs.sendmsg([b"e"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(reader)
        witness.hand_over()
        self._write_stderr(witness)
        assert witness.testify().stderr == "printed native"
        os.close(writer)

    def test_stacks_that_went_elsewhere_are_read_there(self, witness: Witness, tmp_path: Path) -> None:
        for text in ("", "Fatal"):
            (tmp_path / "fault").write_text(text, encoding="ascii")
            with (
                (tmp_path / "fault").open("rb") as file,
                socket.socket(fileno=os.dup(witness.descriptors[-1])) as theirs,
            ):
                rights = array.array("i", [file.fileno()])
                theirs.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        (tmp_path / "fault").unlink()
        assert witness.testify().stack == "FatalFatal"

    def _write_stderr(self, witness: Witness) -> None:
        os.write(witness._files["stderr"], b"printed ")


def test_nothing_stays_open() -> None:
    Witness(KERNEL, "id").close()
    once = handles.opened()
    for _ in range(3):
        found = Witness(KERNEL, "id")
        found.hand_over()
        found.testify()
        found.close()
    handles.do_not_grow(once)
