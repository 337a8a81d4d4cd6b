"""The marker `tfkernel_isolated`: what the process of a test is to be like."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec

MARKER = "tfkernel_isolated"

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
# More than there is, and less than what the system can't count.
_MOST_BYTES, _MOST_SECONDS = 1 << 60, 1e9
# As many as TensorFlow makes without being seen to hang, and what of a value is shown.
_MOST_DEVICES, _SHOWN = 1000, 200
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMG]i?B)?")


@dataclass(frozen=True)
class IsolationWishes:
    """What a test's process is given. Two tests share one only if they wish for the same.

    `memory` is in bytes, held by a cgroup or (`by`) by an rlimit, `processes` a count, `timeout` in seconds for the
    test with all that it starts. `logical_devices` are pairs of a type of device and how many TensorFlow is to see. A
    `cold` one is forked from an interpreter that has imported pytest, and nothing for the tests.
    """

    per: str = "file"
    memory: int | None = None
    by: str = "cgroup"
    processes: int | None = None
    timeout: float | None = None
    env: tuple[tuple[str, str], ...] = ()
    logical_devices: tuple[tuple[str, int], ...] = ()
    preload: tuple[str, ...] = ()
    cold: bool = False


def of(item: pytest.Item, per: str) -> IsolationWishes | None:
    """Those of a test, the nearest marker first; None where it isn't to be isolated at all.

    Without a marker that says otherwise, tests share a process as `per` says: "file", "test", or "off". Raises
    ValueError, with a line that says what is wrong with a marker.
    """
    markers = list(item.iter_markers(MARKER))
    if not markers and per == "off":
        return None
    found = IsolationWishes(per="file" if per == "off" else per)
    for marker in reversed(markers):
        found = replace(found, **_read(marker))
    return found


def _read(marker: pytest.Mark) -> dict[str, Any]:
    names = [field.name for field in fields(IsolationWishes)]
    if marker.args:
        given = in_one_line(marker.args[0])
        raise ValueError(f"the marker {MARKER} takes no {given}: give by name some of {', '.join(names)}")
    for name in marker.kwargs:
        if name not in names:
            raise ValueError(f"the marker {MARKER} takes no {name!r}: give some of {', '.join(names)}")
    return {name: _READERS[name](name, value) for name, value in marker.kwargs.items()}


def _wrong(name: str, value: object, wanted: str) -> ValueError:
    return ValueError(f"the marker {MARKER}: {name}={in_one_line(value)} must be {wanted}")


def in_one_line(value: object) -> str:
    """What somebody has given to a marker, whatever its `repr` does."""
    text = codec.shown(value).replace("\n", " ")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _size(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return min(value, _MOST_BYTES)
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(float(found[1]) * _UNITS[found[2] or ""]) if found is not None else 0
    if size <= 0:
        raise _wrong(name, value, "a size such as '4GiB', or bytes above 0")
    return min(size, _MOST_BYTES)


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(name, value, "a whole number above 0")
    return value


def _seconds(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise _wrong(name, value, "seconds above 0")
    return float(min(value, _MOST_SECONDS))


def _one_of(*words: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if value not in words:
            raise _wrong(name, value, " or ".join(map(repr, words)))
        return str(value)

    return read


def _variables(name: str, value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str) and isinstance(text, str) and key and "=" not in key and _can_be_set(key + text)
        for key, text in value.items()
    ):
        raise _wrong(name, value, "a dict of environment variables, such as {'NAME': 'text'}")
    return tuple(sorted(value.items()))


def _can_be_set(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _devices(name: str, value: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str)
        and key
        and isinstance(count, int)
        and not isinstance(count, bool)
        and 0 < count <= _MOST_DEVICES
        for key, count in value.items()
    ):
        raise _wrong(name, value, f"a dict such as {{'CPU': 2}}, with at most {_MOST_DEVICES} of each")
    return tuple(sorted(value.items()))


def _modules(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _wrong(name, value, "a tuple of modules, such as ('tensorflow',)")
    found = tuple(value)
    if not all(isinstance(one, str) and one for one in found):
        raise _wrong(name, value, "a tuple of modules, such as ('tensorflow',)")
    return found


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "per": _one_of("file", "test"),
    "memory": _size,
    "by": _one_of("cgroup", "rlimit"),
    "processes": _count,
    "timeout": _seconds,
    "env": _variables,
    "logical_devices": _devices,
    "preload": _modules,
    "cold": _truth,
}
