"""The releases between two, as the index offers them for this Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.indexes import Offer, PackageIndex
from pytest_tfkernel.upgrade.requirements import NIGHTLIES, Wanted

_SHOWN = 8


@dataclass(frozen=True)
class Candidate:
    """One release; `requirement` is what pip installs."""

    version: Version
    requirement: str

    def __str__(self) -> str:
        return str(self.version)


@dataclass(frozen=True)
class Releases:
    """In the order from ref to changed, both ends among them; `absent` have no wheel here, each with its Pythons."""

    candidates: tuple[Candidate, ...]
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def between(index: PackageIndex, ref: Wanted, changed: Wanted, *, nightlies: bool = False) -> Releases:
    """All of them. Raises UpgradeError where an end isn't a release, or isn't there."""
    wanted = [_requirement(one) for one in (ref, changed)]
    names = {one.name for one in wanted}
    if len(names - {NIGHTLIES}) > 1:
        raise UpgradeError(f"{ref.said} and {changed.said} are of two packages: name two releases of one")
    offers = {name: index.offer(name, unreleased=name == NIGHTLIES) for name in sorted(names)}
    if nightlies and NIGHTLIES not in offers:
        offers[NIGHTLIES] = index.offer(NIGHTLIES, unreleased=True)
    known: dict[Version, str] = {}
    absent: dict[Version, tuple[str, ...]] = {}
    form = {one.name: one for one in wanted}
    for name, offer in offers.items():
        # Of a nightly build that became a release, the release counts.
        extras = "[" + ",".join(sorted(form[name].extras)) + "]" if name in form and form[name].extras else ""
        known |= {one: f"{name}{extras}=={one}" for one in offer.versions if one not in known or name != NIGHTLIES}
        absent |= offer.others
    first, last = (_resolved(one, side, offers) for one, side in zip(wanted, (ref, changed), strict=True))
    if first == last:
        raise UpgradeError(f"{ref.said} and {changed.said} are both {first}: there is nothing between them")
    low, high = min(first, last), max(first, last)
    ends = {first, last}
    inner = [one for one in known if low <= one <= high and (one in ends or _counts(one, nightlies=nightlies))]
    ordered = sorted(inner, reverse=first > last)
    missing = {
        str(one): those
        for one, those in sorted(absent.items())
        if low < one < high and one not in known and _counts(one, nightlies=nightlies)
    }
    return Releases(tuple(Candidate(one, known[one]) for one in ordered), missing)


def _counts(version: Version, *, nightlies: bool) -> bool:
    """What was released; of what wasn't, only builds of each night, if they are asked for."""
    return not version.is_prerelease or (nightlies and version.is_devrelease)


def _requirement(wanted: Wanted) -> Requirement:
    if not wanted.requirement:
        raise UpgradeError(f"{wanted.said} is an interpreter: a bisection is between two releases, such as 2.18")
    try:
        found = Requirement(wanted.requirement)
    except InvalidRequirement:
        raise UpgradeError(f"{wanted.said} is a file: a bisection is between two releases, such as 2.18") from None
    if found.url:
        raise UpgradeError(f"{wanted.said} is a file: a bisection is between two releases, such as 2.18")
    return found


def _resolved(wanted: Requirement, said: Wanted, offers: Mapping[str, Offer]) -> Version:
    """The newest that fits, as an installer would take it."""
    offer = offers[wanted.name]
    unreleased = wanted.name == NIGHTLIES or bool(wanted.specifier.prereleases)
    fitting = [one for one in offer.versions if wanted.specifier.contains(one, prereleases=unreleased)]
    if fitting:
        return fitting[-1]
    elsewhere = offer.pythons(str(wanted))
    where = f"; for {', '.join(elsewhere)} there is: name one of those with --python" if elsewhere else ""
    raise UpgradeError(f"{said.said}: no index has {wanted} for this Python, but {_listed(offer.versions)}{where}")


def _listed(versions: Sequence[Version]) -> str:
    if not versions:
        return "nothing else of it"
    shown = [str(one) for one in versions[-_SHOWN:]]
    return f"{'..., ' if len(versions) > _SHOWN else ''}{', '.join(shown)}"
