"""That there is no answer, in one line."""

from __future__ import annotations

from pytest_tfkernel.model.commands import untold


def test_no_answer_is_one_line_of_stderr_and_the_code_of_neither() -> None:
    assert untold("doctor", ValueError("a\nb")) == (2, "", "doctor: a\\nb\n")
