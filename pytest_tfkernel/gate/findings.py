"""What the gate has found: plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_tfkernel.model.resources import Key, Resource


@dataclass(frozen=True)
class Finding:
    """What one owner left behind: a test, or a fixture that was torn down after `test`.

    `number` tells it from the others of its `worker`. With `excused`, it fails nothing, for that reason.
    """

    worker: str
    number: int
    test: str
    fixture: str
    left: tuple[Resource, ...]
    excused: str = ""

    @property
    def owner(self) -> str:
        """Who is to blame."""
        return self.fixture or self.test or "outside of tests"


@dataclass(frozen=True)
class Allowance:
    """A marker `tfkernel_allow_leak`: at which node it stands, and what it allows."""

    node: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Stray:
    """A thing that nobody can be blamed for, and the tests that ran when it appeared."""

    thing: Resource
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """What one session, or one worker, has to tell at its end.

    `known` counts session-long helpers by what they are. `unused` and `used` are allowances; `blind` counts places
    that could not be looked at, by reason. `told` is what else a person should know, in lines.
    """

    findings: tuple[Finding, ...] = ()
    known: Mapping[str, int] = field(default_factory=dict)
    strays: tuple[Stray, ...] = ()
    used: frozenset[Allowance] = frozenset()
    declared: frozenset[Allowance] = frozenset()
    blind: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    @property
    def unused(self) -> list[Allowance]:
        """Markers that allowed nothing, though their tests ran."""
        return sorted(self.declared - self.used, key=dataclasses.astuple)

    def merged(self, other: Tally) -> Tally:
        """Both in one; what is in both counts once where it has a name."""
        known, blind = dict(self.known), dict(self.blind)
        for mine, theirs in ((known, other.known), (blind, other.blind)):
            for text, count in theirs.items():
                mine[text] = mine.get(text, 0) + count
        strays: dict[Key, Stray] = {}
        for one in (*self.strays, *other.strays):
            seen = strays.get(one.thing.key, one)
            strays[one.thing.key] = Stray(seen.thing, tuple(dict.fromkeys((*seen.tests, *one.tests))))
        return Tally(
            findings=tuple(dict.fromkeys((*self.findings, *other.findings))),
            known=known,
            strays=tuple(strays.values()),
            used=self.used | other.used,
            declared=self.declared | other.declared,
            blind=blind,
            told=tuple(dict.fromkeys((*self.told, *other.told))),
        )
