"""Values of cells, read back from the JSON of `_child/values.py`."""

from __future__ import annotations

import base64
import math
from typing import Any

from pytest_tfkernel._child.values import MAX_DEPTH

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def decode(encoded: Any, depth: int = 0) -> Any:
    """Plain data: None, bool, int, float, str, bytes, complex, list and dict. Raises ValueError for other JSON."""
    if encoded is None or isinstance(encoded, bool | int | str):
        return encoded
    if isinstance(encoded, float):
        if not math.isfinite(encoded):
            raise ValueError("a number is too large")
        return encoded
    if depth > MAX_DEPTH:
        raise ValueError(f"the value is nested more than {MAX_DEPTH} deep")
    if isinstance(encoded, list):
        return [decode(item, depth + 1) for item in encoded]
    if "$" in encoded:
        return _decode_tagged(encoded, depth)
    return {key: decode(item, depth + 1) for key, item in encoded.items()}


def _decode_tagged(encoded: Any, depth: int) -> Any:
    match encoded:
        case {"$": "float", "is": "nan" | "inf" | "-inf" as name}:
            return _FLOATS[name]
        case {"$": "bytes", "base64": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"$": "complex", "parts": [real, imaginary]}:
            return complex(_part(real), _part(imaginary))
        case {"$": "dict", "items": list(items)}:
            return dict(_pair(item, depth + 1) for item in items)
    raise ValueError("a part of the value has a form that is unknown here")


def _part(encoded: Any) -> float:
    part = decode(encoded)
    if not isinstance(part, float):
        raise ValueError("a complex number has a part that is not a float")  # noqa: TRY004 - as all that is wrong here
    return part


def _pair(item: Any, depth: int) -> tuple[Any, Any]:
    if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - a pair
        raise ValueError("an item of a dict is not a pair")
    key = _hashable(decode(item[0], depth))
    try:
        hash(key)
    except TypeError as error:
        raise ValueError(str(error)) from None
    return key, decode(item[1], depth)


def _hashable(key: Any) -> Any:
    # A tuple travels as a list, which can't be a key.
    return tuple(map(_hashable, key)) if isinstance(key, list) else key
