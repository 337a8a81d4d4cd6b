"""Run documents on disk: written as a run goes on, aside, and put in their place at its end."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pytest_tfkernel.report import older
from pytest_tfkernel.report.document import (
    FORMAT,
    SCHEMA,
    AnyPart,
    Document,
    End,
    Part,
    Start,
    Test,
    Trial,
    Verdict,
)

# Beside the document that it becomes. What a killed run leaves is readable: `load` takes it too.
INCOMPLETE = ".incomplete"
# With it the parts begin, and no whole document does.
_START = b'{"part":"start"'

_encode = msgspec.json.Encoder().encode


class DocumentError(Exception):
    """A document can't be written or read; the text says why and what to do, in one line."""


class Writer:
    """Writes one document. Each part is on disk when `add` returns; an older document stays until `finish`.

    `aside` is where the parts lie until then, and stay without it. Raises DocumentError, from the constructor on.
    """

    def __init__(self, path: Path, start: Start) -> None:
        check_place(path)
        self.path = path
        self.aside = path.with_name(path.name + INCOMPLETE)
        self._parts: list[AnyPart] = []
        self._start = start
        self._written = 0
        with _told(self.aside):
            self._descriptor = os.open(self.aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._identity = _identity(self._descriptor)
        try:
            self._claim()
            self._write(start)
        except DocumentError:
            self.close()
            raise

    def add(self, part: Trial | Verdict | Test) -> None:
        """Write one more part."""
        if isinstance(part, Trial):
            part = msgspec.structs.replace(part, result=_plain(part.result), facts=_plain(part.facts))
        self._parts.append(part)
        self._write(part)

    def finish(self, end: End) -> None:
        """Write the whole document, in place of an older one."""
        self._write(end)
        document = assemble([self._start, *self._parts, end])
        final = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            with _told(self.path):
                final.write_bytes(msgspec.json.format(encode(document), indent=1) + b"\n")
                final.replace(self.path)
        finally:
            # It is what is left of a failure, and no second one.
            with contextlib.suppress(OSError):
                final.unlink()
        self.withdraw()

    def withdraw(self) -> None:
        """Have no file aside any more. An older document stays where it is."""
        self.close()
        with contextlib.suppress(OSError):
            self.aside.unlink()

    def close(self) -> None:
        """Free the file; what was written stays, as an incomplete document."""
        if _identity(self._descriptor) == self._identity:
            os.close(self._descriptor)
        # The number may be that of a later writer's to the same file.
        self._descriptor = -1

    def _claim(self) -> None:
        """Begin anew in the file aside, unless somebody else is writing to it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DocumentError(f"{self.path} is being written by another run: name another file") from None
        except OSError:
            pass  # there are file systems without locks
        with _told(self.aside):
            if os.fstat(self._descriptor).st_size and not _is_start(os.pread(self._descriptor, len(_START), 0)):
                raise DocumentError(f"{self.aside} exists, and was not left by a run: move it, or name another file")
            os.truncate(self._descriptor, 0)

    def _reopen(self) -> None:
        """A test has closed a descriptor that wasn't its own, and may have another file there."""
        with _told(self.aside):
            descriptor = os.open(self.aside, os.O_WRONLY | os.O_CLOEXEC)
            if _identity(descriptor) != self._identity:
                os.close(descriptor)
                raise DocumentError(f"{self.aside} was replaced while a run wrote to it")
            self._descriptor = descriptor
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.lseek(self._descriptor, self._written, os.SEEK_SET)

    def _write(self, part: Part) -> None:
        data = encode(part) + b"\n"
        end = self._written + len(data)
        if _identity(self._descriptor) != self._identity:
            self._reopen()
        try:
            with _told(self.aside):
                while data:
                    data = data[os.write(self._descriptor, data) :]
        except DocumentError:
            # Half a line would spoil those that come after it, should there be room again.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._written)
                os.lseek(self._descriptor, self._written, os.SEEK_SET)
            raise
        self._written = end


def _identity(descriptor: int) -> tuple[int, int] | None:
    """Of the file to which a descriptor leads; None where it is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def check_place(path: Path) -> None:
    """Raise DocumentError where a file can't be put, aside first."""
    with _told(path):
        if path.is_dir():
            raise DocumentError(f"{path} is a folder: name a file")
        # A rename would put a file in the place of /dev/null.
        if path.exists() and not path.is_file():
            raise DocumentError(f"{path} is not a regular file: name another one")
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.touch(exist_ok=False)
        aside.unlink()


def load(path: Path) -> Document:
    """Read a document, also of an older schema, or one that a killed run has left. Raises DocumentError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        aside = later_aside(path)
        hint = f"; its run did not finish, and {aside.name} has what there is" if aside is not None else ""
        raise DocumentError(f"{path} doesn't exist{hint}") from None
    except OSError as error:
        raise DocumentError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise DocumentError(f"{path} is a name that no file can have: {error}") from None
    try:
        schema = _check_head(path, data)
        if _is_start(data):
            return assemble(_decode_lines(data.split(b"\n"), older.of_parts(schema)))
        return older.of_documents(schema)(data)
    except RecursionError:
        raise DocumentError(f"{path} is not a run document: it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise DocumentError(f"{path} was changed by hand or comes from another program: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} is cut short or damaged: {error}") from None


def later_aside(path: Path) -> Path | None:
    """What a later run has left beside a document that is older or isn't there: that run did not end, or not yet."""
    try:
        aside = path.with_name(path.name + INCOMPLETE)
        written = aside.stat().st_mtime_ns
        return aside if not path.exists() or written > path.stat().st_mtime_ns else None
    except (OSError, ValueError):
        return None


def encode(value: Any) -> bytes:
    """As JSON; what can't be encoded in UTF-8, a lone surrogate, as an escape."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(clean(msgspec.to_builtins(value)))


def clean(value: Any) -> Any:
    """Plain data whose lone surrogates, which neither UTF-8 nor pytest-xdist can carry, have become escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """A value of a kernel's without the numbers that JSON has no words for, which would become null: as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


class _Head(msgspec.Struct):
    format: str = ""
    schema: int = 0


def _check_head(path: Path, data: bytes) -> int:
    """The schema, which is one that can be read. Raises DocumentError."""
    first = data.partition(b"\n")[0] if _is_start(data) else data
    try:
        head = msgspec.json.decode(first, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "is empty" if not data.strip() else f"is cut short, or not a run document: {error}"
        raise DocumentError(f"{path} {what}") from None
    if head.format != FORMAT:
        raise DocumentError(f"{path} is not a run document: make one with --tfkernel-report={path.name}")
    if head.schema > SCHEMA:
        raise DocumentError(
            f"{path} has schema {head.schema}, and this version reads up to {SCHEMA}: update pytest-tfkernel"
        )
    if head.schema < 1:
        raise DocumentError(f"{path} has schema {head.schema}, which never existed: it was changed by hand")
    return head.schema


def _is_start(data: bytes) -> bool:
    return data.startswith(_START)


def _decode_lines(lines: list[bytes], decode: Callable[[bytes], AnyPart]) -> list[AnyPart]:
    parts: list[AnyPart] = []
    for number, line in enumerate(lines):
        try:
            if line:
                parts.append(decode(line))
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # A run that was killed while it wrote: nothing comes after this.
            if any(lines[number + 1 :]):
                raise
    return parts


def assemble(parts: Sequence[AnyPart]) -> Document:
    """A whole document of its parts, the `Start` among them."""
    start = next(part for part in parts if isinstance(part, Start))
    end = next((part for part in parts if isinstance(part, End)), None)
    return Document(
        format=start.format,
        schema=start.schema,
        complete=end is not None,
        began=start.began,
        environment=start.environment,
        trials=[part for part in parts if isinstance(part, Trial)],
        verdicts=[part for part in parts if isinstance(part, Verdict)],
        tests=[part for part in parts if isinstance(part, Test)],
        end=end,
    )


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DocumentError(f"{path} can't be written: there is no such folder; make it, or name another one") from None
    except OSError as error:
        raise DocumentError(f"{path} can't be written: {error.strerror}; make room, or name another place") from None
    except ValueError as error:
        raise DocumentError(f"{path} is a name that no file can have: {error}") from None
