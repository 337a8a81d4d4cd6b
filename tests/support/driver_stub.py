"""A stand-in for NVIDIA's driver: `libnvidia-ml.so.1` and `libcuda.so.1`, on a machine that a test describes.

The directives are listed in `tests/standin/machine.c`. Only a child process sees the libraries, since
`LD_LIBRARY_PATH` is read when a program starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "standin"
# What a context takes before anything is allocated.
CONTEXT_BYTES = 500 << 20
GIB = 1 << 30

# What each library is made of, beside what all of them share.
LIBCUDA = ("loud.c", *sorted(path.name for path in SOURCES.glob("cuda*.c")))
_LIBRARIES = {"libnvidia-ml.so.1": ("nvml.c",), "libcuda.so.1": LIBCUDA}
_SHARED = ("machine.c", "contexts.c")
_FLAGS = ("-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-O1")


def build(folder: Path, missing: Sequence[str] = ()) -> Path:
    """Compile both libraries into this folder, without the functions that are `missing`; skips where there is no `cc`."""
    folder.mkdir(parents=True, exist_ok=True)
    # By another name, such a function can't be found. The compiler has looked at it all where none is missing.
    renames = ["-O0", *(f"-D{name}=missing_{name}" for name in missing)] if missing else []
    for library, sources in _LIBRARIES.items():
        compile_library(folder / library, sources, renames)
    return folder


def compile_library(library: Path, sources: Sequence[str], options: Sequence[str] = ()) -> None:
    """Make one library of these sources, which are names in the folder of sources, or paths."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: install gcc")
    paths = [str(SOURCES / source) for source in (*_SHARED, *sources)]
    command = [compiler, *_FLAGS, f"-I{SOURCES}", *options, *paths, f"-Wl,-soname,{library.name}", "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class DriverStub:
    """The machine in `folder`, as processes with the libraries see it; it may change while they run."""

    libraries: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see this machine, beside its own environment."""
        paths = [str(self.libraries), os.environ.get("LD_LIBRARY_PATH", "")]
        return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths)), "TFKERNEL_STUB": str(self.folder)}

    def write(self, *lines: str) -> None:
        """Describe the machine anew, all at once for those that read it."""
        aside = self.folder / "machine.new"
        aside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        aside.replace(self.folder / "machine")

    def contexts(self) -> list[int]:
        """The pids of processes whose contexts are recorded; of a dead one until a library has dropped it."""
        return sorted(int(path.name) for path in self.folder.glob("contexts/[0-9]*"))


def uuid(number: int, prefix: str = "GPU") -> str:
    """The UUID that `device` and `mig` give by default."""
    return f"{prefix}-{number:08x}-1111-2222-3333-444444444444"


def device(
    number: int = 0,
    *,
    name: str = "NVIDIA H100",
    total: int = 80 * GIB,
    used: int = 0,
    reserved: int = 0,
    memory: bool = True,
    mig: str = "unsupported",
    compute_mode: int = 0,
) -> str:
    """A line for a GPU; its index is its place among the GPUs, and `number` makes its UUID."""
    line = f"device uuid={uuid(number)} name={_word(name)} total={total} used={used} reserved={reserved}"
    line += f" mig={mig} compute_mode={compute_mode}"
    return line if memory else f"{line} memory=unavailable"


def mig(number: int = 0, *, device: int = 0, name: str = "MIG 1g.10gb", total: int = 10 * GIB, used: int = 0) -> str:
    """A line for a MIG instance of a GPU that has `mig="on"`; its index is its place among those of this GPU."""
    return f"mig device={device} uuid={uuid(number, 'MIG')} name={_word(name)} total={total} used={used}"


def process(
    pid: int, *, device: int = 0, mig: int | None = None, memory: int | None = GIB, kind: str = "compute"
) -> str:
    """A line for a process that isn't ours; its memory isn't added to what the device has in use."""
    line = f"process device={device} pid={pid} memory={'none' if memory is None else memory} kind={kind}"
    return line if mig is None else f"{line} mig={mig}"


def _word(name: str) -> str:
    return name.replace(" ", "_")
