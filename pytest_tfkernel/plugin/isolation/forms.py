"""What a process of isolation may tell, and in which form. All else has torn its channel: tests run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.processes.wire import ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_Form = Callable[[Any], bool]
_LONGEST_NAME = 40


def check(message: Message) -> None:
    """Raise ChannelTornError for what nobody could read."""
    kind = message["kind"]
    form = _FORMS.get(kind)
    if form is None:
        raise ChannelTornError(f"it says {kind[:_LONGEST_NAME]!r}, which is no word of ours")
    for name, is_sound in form.items():
        if not is_sound(message.get(name)):
            raise ChannelTornError(f"it says {kind!r}, and {name!r} is not what that has")


def check_answer(request: str, message: Message) -> None:
    """Raise ChannelTornError for what is no answer to a request of this kind."""
    expected = _ANSWERS.get(request, (message["kind"],))
    if message["kind"] not in expected:
        raise ChannelTornError(f"it says {message['kind']!r}, and was asked to {request}")


def _text(value: object) -> bool:
    return isinstance(value, str)


def _text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number_or_none(value: object) -> bool:
    return value is None or _number(value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _category(value: object) -> bool:
    return _texts(value) and len(value) == 2  # type: ignore[arg-type]  # noqa: PLR2004 - module and name


def _coded(is_sound: _Form) -> _Form:
    def check_it(value: object) -> bool:
        try:
            return is_sound(codec.decode(value))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            return False

    return check_it


def _place(value: object) -> bool:
    """As `pytest.Item.location`: path, line, name."""
    match value:
        case (str(), None | int(), str()):
            return isinstance(value, tuple)
    return False


def _place_or_none(value: object) -> bool:
    return value is None or _place(value)


def _mark(value: object) -> bool:
    match value:
        case [str(), args, kwargs]:
            return _is_tuple(args) and _is_names(kwargs)
    return False


_is_tuple = _coded(lambda value: isinstance(value, tuple))
_is_names = _coded(lambda value: isinstance(value, dict) and all(isinstance(name, str) for name in value))


def _more(value: object) -> bool:
    """What a function has and other tests have not; nothing, for those."""
    if not isinstance(value, dict) or not value:
        return value == {}
    objects = [value.get(name, (None, None)) for name in ("module", "cls", "function")]
    spec = value.get("callspec", {"id": "", "params": {}})
    return (
        all(isinstance(one, tuple) and len(one) == 2 for one in objects)  # noqa: PLR2004 - a name and a docstring
        and _text(value.get("originalname"))
        and _texts(value.get("fixturenames"))
        and isinstance(spec, dict)
        and spec.keys() == {"id", "params"}
    )


_TEST: Mapping[str, _Form] = {
    "nodeid": _text,
    "name": _text,
    "path": _text,
    "location": _coded(_place),
    "marks": lambda value: isinstance(value, list) and all(map(_mark, value)),
    "keywords": _texts,
    "more": _coded(_more),
}


def _tests(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and all(is_sound(one.get(name)) for name, is_sound in _TEST.items()) for one in value
    )


# What a report holds is decoded, and looked at, where it becomes one: it may be large.
_FORMS: Mapping[str, Mapping[str, _Form]] = {
    "ready": {"unsafe": _text_or_none},
    "forked": {"pid": _number, "start_time": _number},
    "refused": {"reason": _text, "advice": _text},
    "configured": {"unsafe": _text_or_none},
    "preloaded": {"error": _text_or_none, "unsafe": _text_or_none},
    "prepared": {"error": _text_or_none},
    "asks": {"path": _text},
    "unsafe": {"path": _text, "reason": _text},
    "collecting": {"nodeid": _text, "path": _text},
    "collectreport": {"data": lambda value: isinstance(value, dict), "tests": _tests},
    "deselected": {"tests": _tests},
    "collected": {
        "items": _tests,
        "unsafe": _text_or_none,
        "changed": _texts,
        "left": lambda value: value is None or _is_names(value),
    },
    "usage": {"lines": _texts},
    "internal": {"text": _text},
    "warning": {
        "text": _text,
        "category": _category,
        "filename": _text,
        "lineno": _number,
        "when": _text,
        "nodeid": _text,
        "location": _coded(_place_or_none),
    },
    "armed": {},
    "report": {
        "data": lambda value: isinstance(value, dict),
        "shown": _text_or_none,
        "failed_subtests": _number_or_none,
        "peak": _number_or_none,
    },
    "ran": {"shouldstop": _text, "shouldfail": _text},
    "missing": {"why": _text},
    "exit": {"reason": _text, "returncode": _number_or_none},
    "interrupted": {},
    "written": {"text": _text_or_none},
    "attribute": {"name": _text, "value": _text},
    "property": {"name": _text, "value": _text},
    "left": {"output": _coded(lambda value: isinstance(value, dict))},
    "finished": {"status": _number},
}
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "begin": ("ready",),
    "fork": ("forked", "refused"),
    "preload": ("preloaded",),
    "prepare": ("prepared",),
}
