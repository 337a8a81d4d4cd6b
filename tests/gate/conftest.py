"""Books of a session of our own, in which nobody waits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pauses import Time
from pytest_tfkernel.gate import adoption
from pytest_tfkernel.gate.books import Books
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.resources import Kind


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; the path of a Unix socket there must be short."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_subreaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is one, for other reasons."""
    monkeypatch.setattr(adoption, "adopts", lambda: False)


@pytest.fixture
def claims(folder: Path) -> Iterator[Claims]:
    claims = Claims()
    yield claims
    claims.stop()


@pytest.fixture
def books(claims: Claims, no_subreaper: None) -> Iterator[Books]:
    """Those of a session beside which there may be others, with one helper that is known."""
    leases = Leases()
    known = (Known(Kind.PROCESS, "sleep 61", "a helper"), Known(Kind.FILE, "*/known-*", "a folder that stays"))
    yield Books(Ground(), claims, leases, Helpers(known, leases), alone=False)
    leases.restore()
