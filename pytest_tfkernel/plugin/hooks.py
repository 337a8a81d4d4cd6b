"""The plugin's entry: hooks only. What they hand over to is imported when it is needed.

Where no bytecode may be written, as in many containers, pytest compiles this anew in every session; the word below
spares it the search for assertions.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel.plugin import options
from pytest_tfkernel.plugin.fixtures import (
    tfkernel,
    tfkernel_factory,
    tfkernel_module,
    tfkernel_module_factory,
    tfkernel_session,
    tfkernel_session_factory,
    tfkernel_spec,
)

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

__all__ = [
    "tfkernel",
    "tfkernel_factory",
    "tfkernel_module",
    "tfkernel_module_factory",
    "tfkernel_session",
    "tfkernel_session_factory",
    "tfkernel_spec",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options."""
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options; where the suite was asked for, add the hooks that run it."""
    config.addinivalue_line(
        "markers",
        "tfkernel(**fields): change fields of the kernel spec of this test, as in"
        " tfkernel(provisioner='subprocess', timeout=5)",
    )
    config.addinivalue_line(
        "markers",
        "tfkernel_allow_leak(*kinds, reason): what a test may leave behind under --tfkernel-gate, as in"
        " tfkernel_allow_leak('process', reason='...')",
    )
    config.addinivalue_line(
        "markers",
        "tfkernel_isolated(**wishes): run a test in a process of its own, as in tfkernel_isolated(memory='4GiB',"
        " timeout=60)",
    )
    config.addinivalue_line(
        "markers",
        "tfkernel_dies(*what): the process of an isolated test is to die in its call of one of these signals, exit"
        " codes or causes, as in tfkernel_dies('sigsegv')",
    )
    if options.are_given(config):
        from pytest_tfkernel.plugin import enabling

        enabling.enable(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Where a test is marked, plugins are to hear of it in its own process, and not here as well."""
    if options.is_inside(session.config):
        return
    if any(item.get_closest_marker("tfkernel_isolated") is not None for item in session.items):
        from pytest_tfkernel.processes.search_path import standard_library_first

        with standard_library_first():
            from pytest_tfkernel.plugin.isolation import hooks
        hooks.take_marked(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that is marked so in a process of its own, also where the others are not; let none end pytest's."""
    marked = item.get_closest_marker("tfkernel_isolated") or item.get_closest_marker("tfkernel_dies")
    if marked is None or options.is_inside(item.config):
        return None
    from pytest_tfkernel.processes.search_path import standard_library_first

    with standard_library_first():
        from pytest_tfkernel.plugin.isolation import hooks
    return hooks.run_marked(item, nextitem)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of pytest-xdist on this machine whose death ends its kernels too, and what its kernels are."""
    if node.gateway.spec.popen:
        from pytest_tfkernel.processes.search_path import standard_library_first

        with standard_library_first():
            from pytest_tfkernel.plugin import interpreters, launching
        launching.tell(node)
        interpreters.tell(node)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Tell of the tests that a worker of pytest-xdist has isolated, where no option says that any are."""
    # As `workers` names it, which isn't imported for this.
    if "tfkernel_isolated" in getattr(node, "workeroutput", {}):
        from pytest_tfkernel.processes.search_path import standard_library_first

        with standard_library_first():
            from pytest_tfkernel.plugin.isolation import hooks
        hooks.hear(node)
