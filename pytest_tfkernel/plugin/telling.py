"""What the report of a failed test tells of its kernels: their last cells with output, and their deaths.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_tfkernel.kernels.kernel import Kernel
    from pytest_tfkernel.kernels.past import PastCell
    from pytest_tfkernel.model.processes import PostMortem

_NAME = "tfkernel-telling"
_KERNELS = pytest.StashKey["list[Kernel]"]()


class KernelTelling:
    """A plugin of pytest's, there from the first kernel of a session on."""

    def __init__(self) -> None:
        # Of kernels that several tests may share: what had happened to each when the last test ended.
        self._told: dict[Kernel, int] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> KernelTelling:
        """That of a session."""
        found = config.pluginmanager.get_plugin(_NAME)
        if not isinstance(found, cls):
            config.pluginmanager.register(found := cls(), _NAME)
        return found

    def kernels_of(self, node: pytest.Item | pytest.Collector) -> list[Kernel]:
        """Those of a test, a module or the session, to which more may be added."""
        return node.stash.setdefault(_KERNELS, [])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report of a phase that failed."""
        report = yield
        kernels = [kernel for node in item.listchain() for kernel in node.stash.get(_KERNELS, [])]
        if report.when == "teardown":
            self._told = {kernel: kernel.past.events for kernel in kernels}
        elif report.failed:
            for kernel in kernels:
                # Asked for first: a kernel may have died while nobody asked it anything.
                deaths = kernel.post_mortems
                if kernel.past.events != self._told.get(kernel, 0):
                    _add(report, repr(kernel)[1:-1], "\n".join(_lines(kernel.past.cells, deaths[-1:], report)))
        return report


def _lines(cells: Iterable[PastCell], deaths: Iterable[PostMortem], report: pytest.TestReport) -> Iterator[str]:
    for one in cells:
        yield f"[{one.number}] {one.cell.strip()}"
        yield from (text.rstrip() for text in (one.stdout, one.stderr, one.error) if text.strip())
    # An error that says it already is the one that failed the test.
    yield from (one.describe() for one in deaths if one.headline() not in report.longreprtext)


def _add(report: pytest.TestReport, title: str, text: str) -> None:
    """Make a section part of a failure's text, since a JUnit document leaves out those of the report."""
    if not text:
        return
    add_section = getattr(report.longrepr, "addsection", None)
    if add_section is not None:
        add_section(title, text)
    else:
        report.longrepr = f"{report.longrepr}\n--- {title}\n{text}"
