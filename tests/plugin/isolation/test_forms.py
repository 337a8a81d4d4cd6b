"""Whatever a process of tests tells, pytest reads it or says in one line that it can't."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec, forms
from pytest_tfkernel.processes.wire import ChannelTornError

TEST = {
    "nodeid": "a.py::b",
    "name": "b",
    "path": "/a.py",
    "location": codec.encode(("a.py", 1, "b")),
    "marks": [["m", codec.encode((1,)), {"x": 2}]],
    "keywords": ["b"],
    "more": {},
}
SOUND: list[dict[str, Any]] = [
    {"kind": "ready", "unsafe": None},
    {"kind": "forked", "pid": 3, "start_time": 4},
    {"kind": "refused", "reason": "why", "advice": ""},
    {"kind": "configured", "unsafe": None},
    {"kind": "collectreport", "data": {}, "tests": [TEST]},
    {"kind": "collected", "items": [TEST], "unsafe": "why", "changed": []},
    {"kind": "deselected", "tests": [TEST]},
    {
        "kind": "warning",
        "text": "t",
        "category": ["builtins", "UserWarning"],
        "filename": "f",
        "lineno": 1,
        "when": "runtest",
        "nodeid": "",
        "location": None,
    },
    {"kind": "report", "data": {}},
    {"kind": "ran", "shouldstop": "", "shouldfail": ""},
    {"kind": "exit", "reason": "r", "returncode": None},
    {"kind": "finished", "status": 0},
    {"kind": "internal", "text": "t"},
]
_MORE: dict[str, Any] = {"originalname": "b", "fixturenames": ["c"], "cls": codec.encode(("C", None))}
_SPEC: dict[str, Any] = {"id": "1", "params": {}}
NONSENSE: tuple[Any, ...] = (None, 3, 1.5, True, "x", [1], {"$": "nope"}, {"a": 1}, [[["deep"]]])


@pytest.mark.parametrize("message", SOUND, ids=lambda message: str(message["kind"]))
def test_what_is_told_is_read(message: dict[str, Any]) -> None:
    forms.check({**message, "of": 1})


@pytest.mark.parametrize("message", SOUND[1:], ids=lambda message: str(message["kind"]))
def test_each_part_has_its_form(message: dict[str, Any]) -> None:
    for name in message.keys() - {"kind"}:
        torn = 0
        for wrong in (..., *NONSENSE):
            changed = {**message, name: wrong}
            if wrong is ...:
                del changed[name]
            torn += _is_torn(changed)
        assert torn >= 5, name


@pytest.mark.parametrize("name", TEST)
@pytest.mark.parametrize("wrong", [None, 3, {"$": "nope"}, {"$": "tuple", "items": 3}, {"$": "dict", "items": [3]}])
def test_each_part_of_a_test_has_its_form(name: str, wrong: object) -> None:
    with pytest.raises(ChannelTornError, match="'items' is not what that has"):
        forms.check({"kind": "collected", "items": [{**TEST, name: wrong}], "unsafe": None, "changed": []})


def test_a_word_that_nobody_knows_is_none_of_ours() -> None:
    with pytest.raises(ChannelTornError, match="'x{40}', which is no word of ours"):
        forms.check({"kind": "x" * 1000})


def test_an_answer_is_to_what_was_asked() -> None:
    forms.check_answer("fork", {"kind": "refused"})
    with pytest.raises(ChannelTornError, match="it says 'ran', and was asked to fork"):
        forms.check_answer("fork", {"kind": "ran"})


def _is_torn(message: dict[str, Any]) -> bool:
    try:
        forms.check(message)
    except ChannelTornError as error:
        return "\n" not in str(error)
    return False


@pytest.mark.parametrize("more", [_MORE, {**_MORE, "callspec": _SPEC}], ids=["function", "parametrized"])
def test_of_a_function_more_is_told(more: dict[str, Any]) -> None:
    def told(more: object) -> dict[str, Any]:
        return {"kind": "deselected", "tests": [{**TEST, "more": more}], "of": 1}

    forms.check(told(more))
    for name in more:
        for wrong in (..., *NONSENSE):
            if wrong is ... and name in ("cls", "callspec"):
                continue
            changed = {**more, name: wrong} if wrong is not ... else {key: more[key] for key in more.keys() - {name}}
            if name == "originalname" and isinstance(wrong, str):
                continue
            assert _is_torn(told(changed)), (name, wrong)
