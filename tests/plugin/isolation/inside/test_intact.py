"""What a failure says when a test has replaced what everything is made of."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pytest_tfkernel.plugin.isolation.inside.intact import Intact

NAMES = ("len", "type", "isinstance", "id", "set", "str", "getattr", "Exception", "BaseException")
REPLACES = f"""
import builtins
from pytest_tfkernel.plugin.isolation.inside.intact import Intact

intact, why, put = Intact(), ValueError("why"), builtins.__dict__.update
put(dict.fromkeys({sorted(NAMES)!r}))
told = intact.told(why)
first, _, names = told.rpartition(": ")
print(f"{{first}}: {{', '.join(sorted(names.split(', ')))}}")
print(len("ab"))
"""


def _error(raised: BaseException) -> BaseException:
    with pytest.raises(type(raised)) as caught:
        raise raised
    return caught.value


def test_it_says_what_and_where() -> None:
    told = Intact().told(_error(KeyError(3)))
    assert told.startswith(f"KeyError: 3 ({__file__}:")
    assert "replaced" not in told
    assert Intact().told(ValueError()) == "ValueError"
    assert Intact().told(subprocess.SubprocessError("wrong")) == "subprocess.SubprocessError: wrong"


def test_it_says_what_came_first() -> None:
    try:
        try:
            [][1]
        finally:
            os.environ["A_NAME_THAT_NO_VARIABLE_HAS"]
    except KeyError as error:
        told = Intact().told(error)
    assert told.startswith("IndexError: list index out of range (")
    assert ", and then KeyError: 'A_NAME_THAT_NO_VARIABLE_HAS' (" in told


def test_one_that_has_no_text_is_told() -> None:
    class Odd(Exception):  # noqa: N818 - odd
        def __str__(self) -> str:
            raise self

    assert "Odd: its text can't be read (" in Intact().told(_error(Odd()))


def test_a_circle_of_errors_has_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    assert Intact().told(one) == "ValueError: other, and then ValueError: one"


def test_what_was_replaced_is_named_and_put_back() -> None:
    # Elsewhere: threads of this process need them.
    done = subprocess.run([sys.executable, "-c", REPLACES], capture_output=True, text=True, check=True)
    assert (
        done.stdout
        == f"ValueError: why; replaced in that process: {', '.join(f'builtins.{one}' for one in sorted(NAMES))}\n2\n"
    )
