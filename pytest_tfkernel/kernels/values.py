"""Values of cells, read back from the JSON of `_child/values.py`."""

from __future__ import annotations

import base64
from typing import Any


def decode(encoded: Any) -> Any:
    """Plain data: None, bool, int, float, str, bytes, complex, list and dict."""
    if isinstance(encoded, list):
        return [decode(item) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    match encoded.get("$"):
        case "float":
            return float(encoded["is"])
        case "bytes":
            return base64.b64decode(encoded["base64"])
        case "complex":
            real, imaginary = encoded["parts"]
            return complex(decode(real), decode(imaginary))
        case "dict":
            return {_hashable(decode(key)): decode(item) for key, item in encoded["items"]}
        case _:
            return {key: decode(item) for key, item in encoded.items()}


def _hashable(key: Any) -> Any:
    # A tuple travels as a list, which can't be a key.
    return tuple(map(_hashable, key)) if isinstance(key, list) else key
