"""Small wheels in a folder, for pip without an index: packages that were made for a test, and what is installed here."""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# What an environment with the plugin needs.
NEEDED = ("pytest", "pluggy", "iniconfig", "packaging", "pygments", "cloudpickle", "nvidia-ml-py", "msgspec", "psutil")


def build(
    folder: Path, name: str, version: str, files: Mapping[str, str], *needs: str, tag: str = "py3-none-any"
) -> Path:
    """A wheel of these files, by path; `needs` are requirements."""
    stem = f"{name.replace('-', '_')}-{version}"
    needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
    entries = {
        **files,
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{one},,\n" for one in [*entries, f"{stem}.dist-info/RECORD"])
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as file:
        for entry, text in {**entries, f"{stem}.dist-info/RECORD": record}.items():
            file.writestr(entry, text)
    return path


def repack(folder: Path, names: Sequence[str] = NEEDED) -> None:
    """Wheels of what is installed here, by what each says that it has."""
    for name in names:
        found = importlib.metadata.distribution(name)
        metadata, wheel = found.read_text("METADATA"), found.read_text("WHEEL")
        assert found.files is not None
        assert metadata is not None
        assert wheel is not None
        tag = next(line.partition(": ")[2] for line in wheel.splitlines() if line.startswith("Tag: "))
        path = folder / f"{name.replace('-', '_')}-{found.version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as file:
            for one in found.files:
                here = Path(str(found.locate_file(one)))
                if not str(one).startswith("..") and one.suffix != ".pyc" and here.is_file():
                    file.write(here, str(one))
