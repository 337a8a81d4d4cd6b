"""Values of cells as JSON.

Plain JSON where JSON has a form. Everything else is an object with the key "$":

    {"$": "float", "is": "nan" | "inf" | "-inf"}
    {"$": "bytes", "base64": "..."}
    {"$": "complex", "parts": [real, imaginary]}
    {"$": "dict", "items": [[key, value], ...]}      keys that aren't text, or one that is "$"

Tuples become lists. Tensors and arrays are known by their methods `numpy()` and `tolist()`.
"""

import base64
import math
from typing import Any, Dict

MAX_ELEMENTS = 1000000
MAX_DEPTH = 50
_MAX_BITS = 4096


class NotCarriedError(Exception):
    """A value has no JSON form; the message says what to do instead."""


def encode(value: Any) -> Any:
    """The JSON form of a value. Raises NotCarriedError."""
    return _Encoder().encode(value, 0)


class _Encoder:
    """Counts the elements of one value: small lists of small lists can be endless."""

    def __init__(self) -> None:
        self._elements = 0

    def encode(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if depth > MAX_DEPTH:
            raise NotCarriedError("it is nested more than %d deep; end the cell with a flatter value" % MAX_DEPTH)
        if isinstance(value, int):
            return _encode_int(value)
        if isinstance(value, float):
            return _encode_float(float(value))
        if isinstance(value, complex):
            return {"$": "complex", "parts": [_encode_float(value.real), _encode_float(value.imag)]}
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._count(len(value))
            return {"$": "bytes", "base64": base64.b64encode(bytes(value)).decode("ascii")}
        if isinstance(value, (list, tuple)):
            self._count(len(value))
            return [self.encode(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._encode_dict(value, depth)
        return self._encode_array(value, depth)

    def _encode_dict(self, value: Dict[Any, Any], depth: int) -> Any:
        self._count(len(value))
        if all(type(key) is str and key != "$" for key in value):
            return {key: self.encode(item, depth + 1) for key, item in value.items()}
        items = [[self.encode(key, depth + 1), self.encode(item, depth + 1)] for key, item in value.items()]
        return {"$": "dict", "items": items}

    def _encode_array(self, value: Any, depth: int) -> Any:
        # A class has the methods of its instances, but not their data.
        for method in () if isinstance(value, type) else ("numpy", "tolist"):
            try:
                convert = getattr(value, method, None)
                if not callable(convert):
                    continue
                size = getattr(value, "size", 0)
                _check_size(size if isinstance(size, int) else 0)
                plain = convert()
            except NotCarriedError:
                raise
            except Exception as error:
                raise NotCarriedError("its %s() failed: %s: %s" % (method, type(error).__name__, error)) from error
            return self.encode(plain, depth + 1)
        kind = type(value)
        raise NotCarriedError(
            "a %s.%s has no JSON form; end the cell with numbers, text, lists or dicts made from it"
            % (kind.__module__, kind.__qualname__)
        )

    def _count(self, elements: int) -> None:
        _check_size(elements)
        self._elements += elements
        if self._elements > MAX_ELEMENTS:
            raise NotCarriedError("it has more than %d elements; end the cell with a summary" % MAX_ELEMENTS)


def _encode_int(value: int) -> int:
    if value.bit_length() > _MAX_BITS:
        raise NotCarriedError("it is an integer of more than %d bits; end the cell with hex(...)" % _MAX_BITS)
    return int(value)


def _encode_float(value: float) -> Any:
    if math.isfinite(value):
        return value
    return {"$": "float", "is": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}


def _check_size(elements: int) -> None:
    if elements > MAX_ELEMENTS:
        raise NotCarriedError(
            "it has %d elements, more than %d; end the cell with a summary" % (elements, MAX_ELEMENTS)
        )
