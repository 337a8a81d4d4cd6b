"""What pytest prints of an error."""

from __future__ import annotations

import pytest

from pytest_tfkernel.report.tracebacks import last_error


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["E   AssertionError: assert 2 == 1", "E    +  where 2 = tf.value"], "AssertionError: assert 2 == 1"),
        (["E   assert 2 == 1", "E    +  where 2 = x"], "assert 2 == 1"),
        (["E   KeyError: 'a'", "E   ", "E   a.b.MyError: no", "more"], "a.b.MyError: no"),
        (["  E   KeyboardInterrupt  "], "KeyboardInterrupt"),
        (["Error: x", "E"], ""),
        ([], ""),
    ],
)
def test_the_last_error_is_found(lines: list[str], error: str) -> None:
    assert last_error(lines) == error
