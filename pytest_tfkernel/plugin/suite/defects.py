"""The known defects of a session: ours, and those of the file that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.suite.defects.table import DefectsError, KnownDefects, load_ours, load_theirs
from pytest_tfkernel.suite.guarantees import GUARANTEES

_DEFECTS = pytest.StashKey[KnownDefects]()


def defects_of(config: pytest.Config) -> KnownDefects:
    """All of them, read once. Raises UsageError for a file that can't be used."""
    found = config.stash.get(_DEFECTS, None)
    if found is None:
        names = [guarantee.id for guarantee in GUARANTEES]
        named = options_of(config).known
        try:
            theirs = () if named is None else load_theirs(Path(named), names)
        except DefectsError as error:
            raise pytest.UsageError(f"--tfkernel-known: {error}") from None
        found = config.stash[_DEFECTS] = KnownDefects(load_ours(names), theirs)
    return found
