"""What an index offers of a package: for this Python, and what it has for others only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from pytest_tfkernel.upgrade.asking import ask
from pytest_tfkernel.upgrade.errors import UpgradeError

_VERSIONS = re.compile(r"^Available versions: (.*)$", re.MULTILINE)
_NONE = "No matching distribution found"
# What pip says of a wheel that doesn't fit: its tags, then where it is.
_SKIPPED = re.compile(r"Skipping link: none of the wheel's tags .*?: \S*?(?P<file>[^/\s]+)\.whl", re.MULTILINE)
_CPYTHON = re.compile(r"cp(\d)(\d+)")
_PLATFORM = "linux"
_NO_PIP = "No module named pip"


@dataclass(frozen=True)
class Offer:
    """`versions` are for this Python, the oldest first; `others` have wheels for other Pythons only, such as `3.9`."""

    versions: tuple[Version, ...] = ()
    others: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)

    def pythons(self, requirement: str) -> list[str]:
        """For which other Pythons there is what fits this requirement."""
        try:
            wanted = Requirement(requirement).specifier
        except InvalidRequirement:
            return []
        found = {one for version, those in self.others.items() if wanted.contains(version) for one in those}
        return sorted(found, key=Version)


class PackageIndex:
    """What pip sees with its settings: its configuration files and variables, such as `PIP_FIND_LINKS`.

    `pip` are the words that run it; where there is none, `other` says those of another one.
    """

    def __init__(self, pip: Sequence[str], other: Callable[[], Sequence[str]] | None = None) -> None:
        self._pip = tuple(pip)
        self._other = other

    def offer(self, package: str, *, unreleased: bool = False) -> Offer:
        """What there is. Raises UpgradeError."""
        words = ["--only-binary=:all:", *(["--pre"] if unreleased else [])]
        done = ask([*self._pip, "index", "versions", package, "-vv", *words])
        said = done.stdout + done.stderr
        if _NO_PIP in said and self._other is not None:
            self._pip, self._other = tuple(self._other()), None
            return self.offer(package, unreleased=unreleased)
        found = _VERSIONS.search(said)
        if found is None and _NONE not in said:
            errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()
            why = " ".join(errors[-1:]) or "pip said nothing"
            raise UpgradeError(f"what there is of {package} can't be told: {why}")
        versions = tuple(sorted(_read(found[1]))) if found is not None else ()
        return Offer(versions, {one: those for one, those in _skipped(said).items() if one not in versions})


def of(python: str | Path, folder: Path) -> PackageIndex:
    """That of the pip of an interpreter; one that has none, as in environments of uv's, gets one in this folder."""

    def make() -> Sequence[str]:
        made = folder / "pip"
        done = ask([str(python), "-I", "-m", "venv", "--clear", str(made)])
        if done.returncode:
            why = " ".join((done.stdout + done.stderr).split())
            raise UpgradeError(f"{python} has no pip, and can't make an environment with one: {why}")
        return (str(made / "bin" / "python"), "-m", "pip")

    return PackageIndex((str(python), "-m", "pip"), make)


def _skipped(said: str) -> dict[Version, tuple[str, ...]]:
    pythons: defaultdict[Version, set[str]] = defaultdict(set)
    for found in _SKIPPED.finditer(said):
        # Name, version, perhaps a build; the tags of Pythons, ABIs and platforms.
        parts = found["file"].split("-")
        if _PLATFORM in parts[-1] or parts[-1] == "any":
            for version in _read(parts[1]):
                pythons[version] |= {f"{one[1]}.{one[2]}" for one in _CPYTHON.finditer(parts[-3])}
    return {version: tuple(sorted(those, key=Version)) for version, those in pythons.items()}


def _read(text: str) -> Iterator[Version]:
    for word in text.split(","):
        try:
            yield Version(word.strip())
        except InvalidVersion:
            # Of another age; nobody upgrades from it.
            continue
