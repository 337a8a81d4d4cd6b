"""What a document is called that nobody has named: by when its run began, and by the versions of its kernels."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from pathlib import Path

from pytest_tfkernel.report.document import Start
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError

# Several kernels may have long labels, and names of files have an end.
_LONGEST_VERSIONS = 80
_MOMENT = re.compile(r"(?:^|_)([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z_")


def stem_of(start: Start) -> str:
    """As `20260101T031500Z_tf2.21.0-py3.11`: names in the order of time, without anything that a shell would read."""
    began = dt.datetime.fromisoformat(start.began.replace("Z", "+00:00")).astimezone(dt.timezone.utc)
    labels = "+".join(kernel.label for kernel in start.environment.kernels)
    versions = re.sub(r"[^A-Za-z0-9.+-]+", "-", labels)[:_LONGEST_VERSIONS]
    return f"{began:%Y%m%dT%H%M%SZ}_{versions or 'no-kernel'}"


def began_by(name: str) -> str:
    """When the run of a document with such a name began, as a document says it; empty where the name is another."""
    found = _MOMENT.search(name)
    return "{}-{}-{}T{}:{}:{}+00:00".format(*found.groups()) if found is not None else ""


def claim_in(folder: Path, start: Start) -> Path:
    """A place for a document in a folder, which is made: nobody else gets it. Raises DocumentError."""
    stem = stem_of(start)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.json"
            if claim(path):
                return path
    except OSError as error:
        raise DocumentError(f"{folder} can't be written: {error.strerror}; name another folder") from None
    raise AssertionError  # pragma: no cover - there are always more numbers


def claim(path: Path) -> bool:
    """Whether a document may stand here: none does, and no other run is about to put one. Raises OSError."""
    aside = path.with_name(path.name + INCOMPLETE)
    if path.exists():
        return False
    try:
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        return False
    if not path.exists():
        return True
    # Its run has ended between both looks.
    aside.unlink()
    return False
