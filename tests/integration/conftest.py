"""Folders to run pytest in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from gated import Run, leaking, runner
from inner import Inner
from warm import Warm


@pytest.fixture(scope="session", autouse=True)
def plugin_is_installed() -> None:
    """A person installs the plugin; so do these tests."""
    points = distribution("pytest-tfkernel").entry_points
    assert [point.name for point in points if point.group == "pytest11"] == ["tfkernel"]


@pytest.fixture
def canned(tmp_path: Path, tensorflow_python: str, warm: Warm | None) -> Inner:
    """An empty folder, where trials are played by hand: nothing is started."""
    return Inner.make(tmp_path, canned=True, warm=warm)


@pytest.fixture(scope="module")
def make_inner(tmp_path_factory: pytest.TempPathFactory, warm: Warm | None) -> Callable[..., Inner]:
    """Makes folders for runs that several tests look at."""
    return lambda *, canned=False: Inner.make(tmp_path_factory.mktemp("inner"), canned=canned, warm=warm)


@pytest.fixture(scope="module")
def run_together(make_inner: Callable[..., Inner]) -> Iterator[Callable[..., pytest.RunResult]]:
    """Run several test files under the gate, by their names, for tests that look at one each; `more` are other files.

    What one leaves is there while the next run, and is not theirs.
    """
    with contextlib.ExitStack() as stack:

        def run(code: dict[str, str], more: dict[str, str] | None = None) -> pytest.RunResult:
            gated = stack.enter_context(leaking(make_inner()))
            for name, text in (more or {}).items():
                gated.write(name, text)
            return runner(gated)(code)

        yield run


@pytest.fixture
def gated(inner: Inner) -> Iterator[Inner]:
    """A folder whose tests can leak as they like: it is all cleaned up."""
    with leaking(inner) as folder:
        yield folder


@pytest.fixture
def run(gated: Inner) -> Run:
    """Write a test file there and run it under the gate."""
    return runner(gated)
