"""From which TensorFlow to which: releases, nightlies, candidates, and builds of others."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def version_of(text: str | None) -> Version | None:
    """A version as TensorFlow or who built it writes it; None where it doesn't begin with two numbers."""
    numbers = _NUMBERS.match(text or "")
    if text is None or numbers is None:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        # What follows is a builder's own.
        return Version(numbers[0])


def is_exact(text: str) -> bool:
    """Whether it is a version as Python orders them, and nothing else."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


@dataclass(frozen=True)
class Span:
    """The versions from `since` on and before `until`; None is no bound.

    What comes before the release that is a bound, its nightlies and candidates, may be on either side of it.
    """

    since: Version | None = None
    until: Version | None = None

    def __contains__(self, version: Version) -> bool:
        """Whether it is, or may be, among them."""
        return (self.since is None or version >= self.since or self._is_near(version, self.since)) and (
            self.until is None or version < self.until
        )

    def surely_has(self, version: Version) -> bool:
        """Whether it is, and for certain."""
        return version in self and not any(self._is_near(version, bound) for bound in (self.since, self.until))

    @staticmethod
    def _is_near(version: Version, bound: Version | None) -> bool:
        """Whether it comes before this very release. A bound that is a nightly itself is exact."""
        if bound is None or bound.is_prerelease or not version.is_prerelease:
            return False
        return Version(version.base_version) == bound

    @property
    def is_all(self) -> bool:
        """Whether it has each version, one that isn't known too."""
        return self.since is None and self.until is None

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since is not None else ""
        until = f" until {self.until}" if self.until is not None else ""
        return f"TensorFlow{since}{until}"
