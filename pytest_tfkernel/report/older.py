"""Documents of older schemas, made into what one of today would be: nobody else knows that there were others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pytest_tfkernel.report.document import SCHEMA, AnyPart, Document

# What came after the name of a process that outlived its run; names of files may look the same, and have none.
_WITH_COMMAND = ("process ", "zombie ")


def of_documents(schema: int) -> Callable[[bytes], Document]:
    """Reads the JSON of a whole document that was written in a schema, which is the present one or an older one."""
    return _decoder(Document, schema)


def of_parts(schema: int) -> Callable[[bytes], AnyPart]:
    """The same, of the JSON of one part."""
    return _decoder(AnyPart, schema)


def _decoder(kind: Any, schema: int) -> Callable[[bytes], Any]:
    if schema == SCHEMA:
        return msgspec.json.Decoder(kind).decode
    return lambda data: msgspec.convert(renewed(msgspec.json.decode(data), schema), kind)


def renewed(plain: Any, schema: int) -> Any:
    """A whole document, or one part of it, as plain data of the present schema.

    What isn't of the form of its own schema is left as it is, for whoever reads it next to refuse.
    """
    return _from_1(plain) if schema == 1 and isinstance(plain, dict) else plain


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Of a leak there was a text, and a kernel that was none had an empty label."""
    changed = dict(plain)
    if "schema" in plain:
        changed["schema"] = 2
    if "key" in plain:
        changed["setting"] = _setting_from_1(changed.pop("key"))
    if "leaks" in plain:
        changed["leaks"] = _each(plain["leaks"], _leak_from_1)
    for name in ("trials", "verdicts", "tests"):
        if name in plain:
            changed[name] = _each(plain[name], lambda part: renewed(part, 1))
    return changed


def _setting_from_1(key: Any) -> Any:
    return {**key, "kernel": None} if isinstance(key, dict) and key.get("kernel") == "" else key


def _leak_from_1(text: Any) -> Any:
    """Kind and name; of what outlived a killed pytest, also its command in parentheses."""
    if not isinstance(text, str):
        return text
    kind, _, name = text.partition(" ")
    if text.startswith(_WITH_COMMAND) and name.endswith(")") and " (" in name:
        name, _, command = name[:-1].partition(" (")
        return {"kind": kind, "name": name, "detail": command}
    return {"kind": kind, "name": name}


def _each(parts: Any, change: Any) -> Any:
    return [change(one) for one in parts] if isinstance(parts, list) else parts
