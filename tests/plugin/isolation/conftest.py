"""What tests of isolation share."""

from __future__ import annotations

from pathlib import Path

import pytest

from inner import Inner


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    """An empty folder."""
    return Inner.make(tmp_path)
