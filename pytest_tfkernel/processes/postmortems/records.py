"""The deaths of this user's kernels, kept as files: who reads them is `_child.deaths`."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_tfkernel._child import deaths
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.processes.postmortems.plain import plain

KEPT = 100
# One that is being written for so long is nobody's any more.
_ABANDONED_SECONDS = 3600.0


def keep(found: PostMortem, environment: Mapping[str, str] | None = None, **more: Any) -> Path | None:
    """Write one down beside those of other processes, and drop all but the last 100; None where it can't be.

    `more` are further fields, such as the `kernel` by its name. Raises nothing that a full disk or a folder that is
    read-only may come to.
    """
    place = deaths.folder(os.environ if environment is None else environment)
    if not place:
        return None
    with contextlib.suppress(OSError, ValueError):
        return _keep(Path(place), {"time": time.time(), **plain(found), **more})
    return None


def _keep(place: Path, record: Mapping[str, Any]) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.mkdir(exist_ok=True, mode=0o700)
    if not deaths.is_ours(str(place)):
        raise PermissionError(f"{place} is not ours alone")
    name = f"{time.time_ns():020d}-{os.getpid()}.json"
    aside = place / f".{name}"
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            json.dump(record, file)
        aside.replace(place / name)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    _drop_old(place)
    return place / name


def _drop_old(place: Path) -> None:
    """Another process may do the same."""
    for name in deaths.names(str(place))[:-KEPT]:
        with contextlib.suppress(OSError):
            (place / name).unlink()
    for left in place.glob(".*.json"):
        with contextlib.suppress(OSError):
            if deaths.NAME.match(left.name[1:]) and time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()
