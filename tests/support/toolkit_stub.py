"""A stand-in for the libraries of CUDA's toolkit that TensorFlow's GPU build opens before it takes a GPU.

What isn't written in `tests/standin` says its name and fails: all names that TensorFlow may look up are in its files.
"""

from __future__ import annotations

import importlib.util
import mmap
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from driver_stub import LIBCUDA, compile_library


@dataclass(frozen=True)
class Library:
    """One to build. `names` is what its functions are called, `refusal` the code by which they fail,
    and `needs` what was built before and is called by it.
    """

    file: str
    names: str
    refusal: int
    sources: tuple[str, ...] = ("loud.c",)
    needs: tuple[str, ...] = ()


LIBRARIES = (
    Library("libcuda.so.1", r"cu[A-Z]\w+", 801, LIBCUDA),
    Library("libcudart.so.12", r"(?:__)?cuda[A-Z]\w+", 801, ("loud.c", "cudart.c"), ("libcuda.so.1",)),
    Library("libcublas.so.12", r"cublas(?!Lt)\w+", 15, ("loud.c", "cublas.c")),
    Library("libcublasLt.so.12", r"cublasLt\w+", 15, ("loud.c", "cublaslt.c")),
    Library("libcudnn.so.9", r"cudnn\w+", 3000, ("loud.c", "cudnn.c")),
    Library("libcufft.so.11", r"cufft\w+", 16),
    Library("libcusolver.so.11", r"cusolver\w+", 9),
    Library("libcusparse.so.12", r"cusparse\w+", 10),
)

# In these files, each name stands between two zero bytes.
_NAME = re.compile(rb"\0((?:__)?cu[A-Za-z][A-Za-z0-9_]{2,80})(?=\0)")


def build_toolkit(folder: Path) -> None:
    """Put all but NVML into this folder; takes some seconds."""
    names = _names(_home("tensorflow").glob("libtensorflow*.so.2"))
    for library in LIBRARIES:
        target = folder / library.file
        # First without those that aren't written, to learn which are.
        target.unlink(missing_ok=True)
        needed = [str(folder / needed) for needed in library.needs]
        compile_library(target, (*library.sources, *needed))
        missing = {name for name in names if re.fullmatch(library.names, name)} - _defined(target)
        stubs = folder / f"{library.file}.c"
        lines = [f"LOUD({name}, {library.refusal})" for name in sorted(missing)]
        stubs.write_text("\n".join(['#include "loud.h"', *lines, ""]), encoding="utf-8")
        compile_library(target, (*library.sources, str(stubs), *needed))


def _home(package: str) -> Path:
    # Not imported: that takes seconds, and would look for the libraries.
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.submodule_search_locations, f"{package} has no folder"
    return Path(next(iter(spec.submodule_search_locations)))


def _names(files: Iterable[Path]) -> set[str]:
    found: set[bytes] = set()
    for file in files:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found.update(_NAME.findall(content))
    return {name.decode() for name in found}


def _defined(library: Path) -> set[str]:
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in told.splitlines()}
