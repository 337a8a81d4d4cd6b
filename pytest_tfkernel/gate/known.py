"""Session-long helpers: what stays until pytest ends by its makers' design, and is no test's leak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_tfkernel.model.resources import Kind


@dataclass(frozen=True)
class Known:
    """One of them: its kind, the pattern (fnmatch) of its command line or path, and what it is."""

    kind: Kind
    pattern: str
    what: str


# `docs/gate.md` shows this list.
KNOWN = (
    Known(Kind.PROCESS, "*multiprocess*.resource_tracker*", "multiprocessing's resource tracker"),
    Known(Kind.PROCESS, "*multiprocess*.forkserver*", "multiprocessing's fork server"),
    Known(Kind.FILE, "*/pymp-????????", "multiprocessing's folder"),
    Known(Kind.SOCKET, "*/pymp-????????/listener-*", "multiprocessing's fork server"),
    Known(Kind.PROCESS, "*loky.backend.resource_tracker*", "loky's resource tracker"),
    Known(Kind.PROCESS, "*loky.backend.popen_loky_posix*", "loky's reusable workers"),
    Known(Kind.SEMAPHORE, "*/sem.loky-*", "loky's reusable workers"),
    Known(Kind.SHARED_MEMORY, "*/joblib_memmapping_folder_*", "joblib's folder"),
    Known(Kind.FILE, "*/joblib_memmapping_folder_*", "joblib's folder"),
    Known(Kind.FILE, "*/__autograph_generated_file*.py", "TensorFlow's autograph files"),
    Known(Kind.FILE, "*/matplotlib-*", "matplotlib's folder"),
    # Open as long as a CUDA context is (seen with driver 580).
    Known(Kind.SOCKET, "@cuda-uvmfd-*", "CUDA's socket"),
    Known(Kind.PROCESS, "*/pytest_tfkernel/_child *", "pytest-tfkernel's supervisor and its helpers"),
    Known(Kind.FILE, "*/tfk-*-*", "pytest-tfkernel's folder"),
    # Those of another session, whose maker may have ended before anybody could look at it.
    Known(Kind.SHARED_MEMORY, "*/tfk-*", "a leak that pytest-tfkernel plants"),
    Known(Kind.SEMAPHORE, "*/sem.tfk-*", "a leak that pytest-tfkernel plants"),
)


def parse(lines: Iterable[str]) -> tuple[Known, ...]:
    """The helpers of the ini value `tfkernel_gate_known`, `kind:pattern` each. ValueError says what is wrong."""
    found = []
    for line in lines:
        kind, colon, pattern = (part.strip() for part in line.partition(":"))
        if not colon or not pattern:
            raise ValueError(f"{line}: write kind:pattern, as in process:*my-daemon*")
        found.append(Known(kind_of(kind), pattern, f"{kind} {pattern}"))
    return tuple(found)


# What pytest itself holds of a GPU is told once, at the end, and blames no test.
_OF_NO_TEST = (Kind.HANDLE, Kind.CONTEXT, Kind.GPU_MEMORY)


def kind_of(name: str) -> Kind:
    """The kind of this name, of those that a test can leave. ValueError names the choice."""
    kinds = {kind.value: kind for kind in Kind if kind not in _OF_NO_TEST}
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"{name}: unknown kind; choose from {', '.join(kinds)}")
    return kinds[name]


def find(known: Iterable[Known], kind: Kind, name: str) -> Known | None:
    """The helper that has this command line or path."""
    return next((one for one in known if one.kind is kind and fnmatchcase(name, one.pattern)), None)
