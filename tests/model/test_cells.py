"""What goes wrong in a cell, in words."""

from __future__ import annotations

from pytest_tfkernel.model.cells import CellError


def test_an_error_is_told_by_its_type_and_message() -> None:
    assert str(CellError("KeyError", "'a'", "Traceback ...")) == "KeyError: 'a'"
