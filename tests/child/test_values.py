"""Values of cells as JSON; what comes back of it is `kernels/cells/test_values.py`."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from pytest_tfkernel._child import values
from pytest_tfkernel._child.values import NotCarriedError, encode


@pytest.mark.parametrize("value", [None, True, 0, -(2**4000), 1.5, "ä\ud800", [], {}, [1, [None, {"a": "b"}]]])
def test_plain_json_stays_what_it_is(value: object) -> None:
    assert encode(value) == value
    assert type(encode(value)) is type(value)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ((1, (2,)), [1, [2]]),
        (math.inf, {"$": "float", "is": "inf"}),
        (-math.inf, {"$": "float", "is": "-inf"}),
        (math.nan, {"$": "float", "is": "nan"}),
        (b"\x00\xff", {"$": "bytes", "base64": "AP8="}),
        (bytearray(b"a"), {"$": "bytes", "base64": "YQ=="}),
        (complex(1, math.nan), {"$": "complex", "parts": [1.0, {"$": "float", "is": "nan"}]}),
        ({1: 2}, {"$": "dict", "items": [[1, 2]]}),
        ({"$": 1}, {"$": "dict", "items": [["$", 1]]}),
    ],
)
def test_what_json_has_no_form_for_is_marked(value: object, form: object) -> None:
    assert encode(value) == form
    json.dumps(encode(value), allow_nan=False)


class Text(str):
    """Of a class of the user's."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another"


class Number(int):
    pass


def test_of_a_subclass_the_plain_value_is_sent() -> None:
    assert [type(encode(one)) for one in (Text("a"), Number(1))] == [str, int]
    assert encode(Text("a")) == "a"


class Array:
    """As one of NumPy's, or a tensor."""

    def __init__(self, plain: Any, size: Any = 1) -> None:
        self._plain, self.size = plain, size

    def tolist(self) -> Any:
        if isinstance(self._plain, Exception):
            raise self._plain
        return self._plain


def test_an_array_is_what_it_holds() -> None:
    assert encode([Array([1.0, 2.0])]) == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (2**4096, "an integer of more than 4096 bits"),
        ([0] * 1001, "1001 elements, more than 1000"),
        ([[0] * 100] * 11, "more than 1000 elements"),
        (Array([1], size=1001), "1001 elements"),
        (Array(ValueError("no")), r"its tolist\(\) failed: ValueError: no"),
        (Array, "has no JSON form"),
        (object(), "a builtins.object has no JSON form; end the cell with numbers"),
    ],
)
def test_what_can_not_be_carried_says_what_to_do(value: object, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_ELEMENTS", 1000)
    with pytest.raises(NotCarriedError, match=why):
        encode(value)


def test_what_holds_itself_ends() -> None:
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(NotCarriedError, match="nested more than 50 deep"):
        encode(deep)
