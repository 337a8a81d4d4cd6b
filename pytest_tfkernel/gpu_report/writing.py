"""Files of a report: each is whole at any moment, or isn't there, and is read as what it says that it is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pytest_tfkernel.report.store import encode

T = TypeVar("T")


class _Head(msgspec.Struct):
    format: str = ""
    schema: int = 0


class ReportError(Exception):
    """The report can't be begun, or can't go on; the text says why and what to do, in one line."""


def write(path: Path, value: Any) -> None:
    """Put this there as JSON; what was there stays until all of it is on disk. Raises ReportError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(msgspec.json.format(encode(value), indent=1) + b"\n")
            file.flush()
            # A machine that is rented may be taken away in the next moment.
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise ReportError(
            f"{path} can't be written: {error.strerror}; make room or name another folder: what is there already stays"
        ) from None


def read(path: Path, kind: type[T], *, form: str, schema: int) -> T:
    """What `write` has put there, of this format and schema. Raises ReportError, which begins with the path."""
    try:
        data = path.read_bytes()
        head = msgspec.json.decode(data, type=_Head)
        if head.format != form:
            raise ReportError(f"{path} is no {form.removeprefix('pytest-tfkernel ')}")
        if head.schema != schema:
            raise ReportError(f"{path} has schema {head.schema}, and this version writes {schema}")
        return msgspec.json.decode(data, type=kind)
    except OSError as error:
        raise ReportError(f"{path} can't be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReportError(f"{path} is cut short, or was changed by hand: {error}") from None
