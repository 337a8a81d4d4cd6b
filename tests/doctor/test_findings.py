"""What an examination finds, in words and as exit codes."""

from __future__ import annotations

from pytest_tfkernel.doctor.findings import Fulfilment


def test_answers_are_the_documented_exit_codes() -> None:
    assert [(one.value, one.words) for one in Fulfilment] == [
        (0, "met"),
        (1, "not met"),
        (2, "can't tell"),
        (3, "device lost"),
    ]
