"""`python .ci/mutants [ROOM ...]` changes the pure rooms in small ways, and looks whether their tests notice.

The changes are those of cosmic-ray. `tests/mutants.toml` has the rooms, the tests of each, and the changes that no test
notices, each with the reason. A module is changed in a fork of this process only, and no file is.

Exit codes: 0 all is as the file says; 1 a change that isn't in the file went unnoticed, or more than 5 % in a room did;
2 there is no such room, or its tests fail as things are. Wants `cosmic-ray`, on Python 3.11 or later.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runs
from changes import Mutant, mutants

FILE = runs.ROOT / "tests/mutants.toml"
# Of a room's mutants, in hundredths.
MOST = 5

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Room:
    """Modules, and the tests that are to notice a change of them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @classmethod
    def read(cls, name: str, row: Mapping[str, Any]) -> Room:
        """As the file has it: patterns within the package, paths of tests, and names of tests in files (`of`)."""
        package = runs.ROOT / runs.PACKAGE
        modules = sorted({path for pattern in row["modules"] for path in package.glob(pattern)})
        names = (f"{path}::{name}" for path, names in row.get("of", {}).items() for name in names)
        return cls(name, tuple(path.relative_to(package).as_posix() for path in modules), (*row["tests"], *names))

    def mutants(self) -> list[Mutant]:
        """All of its modules."""
        package = runs.ROOT / runs.PACKAGE
        return [one for path in self.modules for one in mutants(path, (package / path).read_text(encoding="utf-8"))]


def main(names: list[str]) -> int:
    """Try the rooms, all if none is named; the exit code."""
    # Of Python 3.11; the linter of types reads us as 3.10 does.
    told = importlib.import_module("tomllib").loads(FILE.read_text(encoding="utf-8"))
    unknown = [name for name in names if name not in told["rooms"]]
    if unknown:
        print(f"mutants: no room {unknown[0]!r}; choose from {', '.join(told['rooms'])}", file=sys.stderr)
        return 2
    listed = {(one["module"], one["was"], one["becomes"]): one["reason"] for one in told.get("survivors", ())}
    os.chdir(runs.ROOT)
    # A mutant may forget to remove its files.
    with tempfile.TemporaryDirectory(prefix="m-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        return max(_try(Room.read(name, told["rooms"][name]), listed) for name in names or told["rooms"])


def _try(room: Room, listed: Mapping[Key, str]) -> int:
    started = time.monotonic()
    all_of_them = room.mutants()
    try:
        survived = runs.survivors(all_of_them, room.tests, Path(tempfile.gettempdir(), "output"))
    except ValueError as error:
        print(f"{room.name}: {error}", file=sys.stderr)
        return 2
    count, seconds = len(all_of_them), time.monotonic() - started
    print(f"{room.name}: {len(survived)} of {count} mutants survived ({share(survived, count)}), {seconds:.0f} s")
    wrong = list(verdict(room, survived, count, listed))
    for line in (*wrong, *news(room, survived, listed)):
        print(f"  {line}", flush=True)
    return 1 if wrong else 0


def verdict(room: Room, survived: Sequence[Mutant], count: int, listed: Iterable[Key]) -> Iterator[str]:
    """What is wrong with a room, in lines."""
    for one in survived:
        if one.key not in listed:
            yield f"survived, by {one.operator}:{_lines(*one.key, line=one.line)}"
    if len(survived) * 100 > count * MOST:
        yield f"{share(survived, count)} of {room.name} survived; at most {MOST} % may"


def news(room: Room, survived: Iterable[Mutant], listed: Iterable[Key]) -> Iterator[str]:
    """The changes of a room of which the file tells, and that a test notices by now, or that are none any more."""
    found = {one.key for one in survived}
    for key in listed:
        if key[0] in room.modules and key not in found:
            yield f"no survivor any more, remove it from tests/mutants.toml:{_lines(*key)}"


def share(part: Sequence[object], whole: int) -> str:
    """In hundredths, as people read them."""
    return f"{100 * len(part) / max(1, whole):.1f} %"


def _lines(module: str, was: str, becomes: str, line: int | None = None) -> str:
    place = module if line is None else f"{module}:{line}"
    return f"\n    {place}\n    was:     {was}\n    becomes: {becomes}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
