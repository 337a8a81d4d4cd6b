"""Files of a report: each is whole at any moment, or isn't there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from pytest_tfkernel.report.store import encode


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
