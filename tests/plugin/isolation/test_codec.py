"""What crosses the channel comes back, or is told by its repr."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class OddNumber(int):
    def __int__(self) -> int:
        raise ValueError

    __repr__ = __str__ = __int__  # type: ignore[assignment]


class OddDict(dict[str, int]):
    def items(self) -> Any:
        raise ValueError


class OddList(list[int]):
    def __iter__(self) -> Any:
        raise ValueError


def carried(value: object) -> Any:
    return codec.decode(json.loads(json.dumps(codec.encode(value), allow_nan=False)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1 << 70,
        pytest.param(10**5000, id="long"),
        pytest.param(-(10**5000), id="long-negative"),
        1.5,
        math.inf,
        -math.inf,
        "\udc80\n\0",
        b"\x00\xff",
        (1, (2, [3, ()])),
        {"a": {"b": (1,)}},
        {1: "one", ("a", None): [b"x"], "$": "tuple"},
        {"$": "dict", "items": []},
        [],
    ],
    ids=repr,
)
def test_it_comes_back_as_it_was(value: object) -> None:
    found = carried(value)
    assert found == value
    assert type(found) is type(value)


def test_what_json_has_no_form_for() -> None:
    assert math.isnan(carried(math.nan))
    assert carried(Path("/a/b")) == "/a/b"
    assert carried(Unprintable()) == "<Unprintable whose repr raised RuntimeError>"
    assert carried({1, 2}) == "{1, 2}"
    assert carried((object,)) == ("<class 'object'>",)


@pytest.mark.parametrize(("value", "plain"), [(Text("a"), "a"), (Number(3), 3)])
def test_what_somebody_has_derived_is_plain_data(value: object, plain: object) -> None:
    assert type(carried(value)) is type(plain)
    assert carried(value) == plain


def test_what_has_no_end_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    found, depth = carried(endless), 0
    while isinstance(found, list):
        found, depth = found[0], depth + 1
    assert found == "[[...]]"
    assert depth == 100


def test_what_has_odd_methods_is_told_too() -> None:
    assert carried([OddNumber(3), OddDict(a=1), OddList([1])]) == [3, "{'a': 1}", "[1]"]
