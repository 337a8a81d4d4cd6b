"""What a dead process has left that exists by itself, as far as it can be proven from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel._child import system
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.gate import known as gate_known, neighbours
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.known import KNOWN, Known
from pytest_tfkernel.model.resources import Blind, Kind, Resource

_MADE = "made by its process, which is dead"


@dataclass(frozen=True)
class Dead:
    """A process that has died: the paths that it said it makes, its pids and those of its own, and who outlived it."""

    paths: Mapping[str, Kind]
    pids: Collection[int]
    left: Sequence[Resource] = ()


@dataclass
class Remains:
    """What one has left for certain, and what somebody has made who is gone."""

    proven: list[Resource] = field(default_factory=list)
    strays: list[Resource] = field(default_factory=list)


class DeadProcesses:
    """Looks before a process goes to work, and again after its death. `alone`: no other worker is running."""

    def __init__(self, known: Sequence[Known], *, alone: bool) -> None:
        self._known = (*KNOWN, *known)
        self._alone = alone
        self._ground: Ground | None = None
        self._there: frozenset[str] = frozenset()

    @property
    def blind(self) -> dict[Blind, None]:
        """The places that could not be looked at."""
        return self._ground.blind if self._ground is not None else {}

    def before(self) -> list[Resource]:
        """What is there now is of nobody who dies later; what has come since the last look, of those who are gone."""
        strays: list[Resource] = []
        if self._ground is None:
            self._ground = Ground()
        else:
            strays = self._ground.sweep().strays
            self._ground.pass_on()
        self._there = frozenset(name for name, _ in system.inodes(self._ground.root) if name.isdigit())
        return strays

    def after(self, dead: Dead) -> Remains:
        """What is there that was not, and is not a session-long helper's."""
        # Of those that were there before, the one that lives longer than its test was told where it ended.
        remains = Remains([one for one in dead.left if one.name not in self._there and self._is_anybodys(one)])
        paths = list(self._paths(dead.paths))
        remains.proven += (Resource(kind, path, detail=_MADE) for path, kind in paths)
        if self._ground is None:
            return remains
        fresh = self._ground.sweep(dead.paths, dead.pids)
        remains.proven += (one for one in fresh.mine if one.kind is Kind.SEGMENT)
        strays = list(filter(self.is_left, fresh.strays))
        # As for tests in pytest's own process: who else could it have been?
        is_proven = self._alone and not neighbours.are_there()
        (remains.proven if is_proven else remains.strays).extend(strays)
        remains.strays += (one for one in fresh.doubtful if one.kind in (Kind.SEGMENT, Kind.SHARED_MEMORY))
        return remains

    def is_left(self, one: Resource) -> bool:
        """Whether what somebody has made who is gone is there, and nobody uses it."""
        return self._is_anybodys(one) and (one.kind is Kind.SEGMENT or _is_unused(one))

    def _paths(self, paths: Mapping[str, Kind]) -> Iterator[tuple[str, Kind]]:
        """Those that are there, but for what lies in one of them."""
        kept: set[str] = set()
        for path in sorted(paths):
            if not system.exists(path) or any(path.startswith(f"{folder}/") for folder in kept):
                continue
            kept.add(path)
            if self._is_anybodys(Resource(paths[path], path)):
                yield path, paths[path]

    def _is_anybodys(self, one: Resource) -> bool:
        # A process is known by its command line, which is what is told of it.
        name = one.detail if one.kind is Kind.PROCESS else one.name
        return gate_known.find(self._known, one.kind, name) is None


def _is_unused(one: Resource) -> bool:
    table = Table()
    return SharedMemory().persists(table, one) and not table.is_torn
