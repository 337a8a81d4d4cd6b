"""The plugin as it runs now, made into a wheel: whatever it was installed from, and without a network."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.specifiers import SpecifierSet

from pytest_tfkernel.upgrade.errors import UpgradeError

NAME = "pytest-tfkernel"
# The same files are the same wheel, whenever it is made.
_DATE = (2020, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: pytest-tfkernel\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TAKEN = ("METADATA", "entry_points.txt")


def write_wheel(folder: Path) -> Path:
    """Make it of the files that run now, in a folder; its path. Raises UpgradeError."""
    try:
        distribution = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError:
        raise UpgradeError(f"{NAME} isn't installed, and so can't be installed elsewhere: pip install it") from None
    stem = f"{NAME.replace('-', '_')}-{distribution.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    entries = [*_package(), *_metadata(distribution, f"{stem}.dist-info")]
    entries.append((f"{stem}.dist-info/RECORD", _record(entries, f"{stem}.dist-info/RECORD")))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    aside = path.with_name(f"{path.name}.new")
    try:
        aside.write_bytes(content.getvalue())
        aside.replace(path)
    except OSError as error:
        raise UpgradeError(f"{path} can't be written: {error.strerror}; make room, or name another folder") from None
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    return path


def needed_python() -> SpecifierSet:
    """For which Pythons the plugin is."""
    try:
        said = importlib.metadata.metadata(NAME)["Requires-Python"]
    except (importlib.metadata.PackageNotFoundError, KeyError):
        said = None
    return SpecifierSet(said or "")


def _package() -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield f"{root.name}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _metadata(distribution: importlib.metadata.Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    for name in _TAKEN:
        text = distribution.read_text(name)
        if text is not None:
            yield f"{folder}/{name}", text.encode()
    yield f"{folder}/WHEEL", _WHEEL.encode()


def _record(entries: list[tuple[str, bytes]], own: str) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for name, data in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(data)))
    writer.writerow((own, "", ""))
    return lines.getvalue().encode()
