"""What crosses the channel of an isolated process: plain data as JSON, tuples as tuples, and the repr of all else.

Plain JSON where JSON has a form. Everything else is an object with the key "$":

    {"$": "tuple", "items": [...]}
    {"$": "dict", "items": [[key, value], ...]}      keys that aren't text, or one that is "$"
    {"$": "int", "text": "0x..."}                    one of very many digits
    {"$": "float", "text": "nan" | "inf" | "-inf"}
    {"$": "bytes", "text": "..."}                    each byte as the character of its number
    {"$": "signal", "number": 11}                    of Python's `signal`: a marker may mean that, and no number
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from typing import Any

_DEEPEST = 100
# Python refuses to write, and to read, decimals that are much longer.
_LONGEST = 2000
_PLAIN = frozenset({bool, bytes, dict, float, int, list, str, tuple, type(None)})


def encode(value: object, depth: int = 0) -> Any:
    """Its form for the channel; what has none, or is nested too deep, is told by its `repr`."""
    try:
        return _encode(value, depth)
    except Exception:  # whatever somebody's own list or dict raises
        if type(value) in _PLAIN:  # that isn't the value's fault, but of what a test has replaced
            raise
        return shown(value)


def _encode(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, signal.Signals):
        return {"$": "signal", "number": int(value)}
    if isinstance(value, int):
        # A class of somebody's own may have methods of its own.
        whole = int.__pos__(value)
        return whole if whole.bit_length() <= _LONGEST else {"$": "int", "text": hex(whole)}
    if isinstance(value, float):
        number = float.__pos__(value)
        return number if math.isfinite(number) else {"$": "float", "text": repr(number)}
    if isinstance(value, bytes):
        return {"$": "bytes", "text": value.decode("latin-1")}
    if depth < _DEEPEST:
        if isinstance(value, list | tuple):
            items = [encode(item, depth + 1) for item in value]
            return items if isinstance(value, list) else {"$": "tuple", "items": items}
        if isinstance(value, dict):
            return _encode_dict(value, depth)
    return os.fspath(value) if isinstance(value, os.PathLike) else shown(value)


def _encode_dict(value: dict[Any, Any], depth: int) -> Any:
    if all(type(key) is str and key != "$" for key in value):
        return {key: encode(item, depth + 1) for key, item in value.items()}
    return {"$": "dict", "items": [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]}


def shown(value: object) -> str:
    """Its `repr`, or what went wrong with that."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - whatever somebody's own repr raises
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def decode(value: Any) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$")
    if kind is None:
        return {key: decode(item) for key, item in value.items()}
    return _TAGGED[kind](value)


def _decode_dict(value: dict[str, Any]) -> dict[Any, Any]:
    return {decode(key): decode(item) for key, item in value["items"]}


_TAGGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "tuple": lambda value: tuple(decode(item) for item in value["items"]),
    "dict": _decode_dict,
    "int": lambda value: int(value["text"], 16),
    "float": lambda value: float(value["text"]),
    "signal": lambda value: signal.Signals(value["number"]),
    "bytes": lambda value: value["text"].encode("latin-1"),
}
