"""The fixtures: kernels for people's own tests. They are declared in every session; `making` has what they do.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_tfkernel.kernels.factory import KernelFactory
    from pytest_tfkernel.kernels.kernel import Kernel
    from pytest_tfkernel.model.kernels import KernelSpec


@pytest.fixture
def tfkernel_spec(request: pytest.FixtureRequest) -> KernelSpec:
    """The kernel spec of this test; override this fixture to change it for a module or a folder.

    Kernels start in pytest's root folder, with the folder of the test file and pytest's own
    `pythonpath` on `sys.path`. The marker `tfkernel(field=...)` changes fields for one test.
    """
    from pytest_tfkernel.processes.search_path import standard_library_first

    with standard_library_first():
        from pytest_tfkernel.plugin import making

    return making.spec_of(request)


@pytest.fixture
def tfkernel_factory(request: pytest.FixtureRequest, tfkernel_spec: KernelSpec) -> Iterator[KernelFactory]:
    """Makes kernels: `tfkernel_factory()`, `tfkernel_factory(timeout=5)`, `tfkernel_factory(spec)`.

    All of them are ended after the test. The test fails if one of their processes had to be killed.
    """
    yield from _kernels(request, tfkernel_spec)


@pytest.fixture
def tfkernel(tfkernel_factory: KernelFactory, tfkernel_spec: KernelSpec) -> Kernel:
    """A running kernel of `tfkernel_spec`: `execute`, `call`, `inject`, `restart` and so on.

    It is ended after the test. The test fails if one of its processes had to be killed.
    """
    return _kernel(tfkernel_factory, tfkernel_spec)


@pytest.fixture(scope="module")
def tfkernel_module_factory(request: pytest.FixtureRequest) -> Iterator[KernelFactory]:
    """As `tfkernel_factory`, for fixtures of a module: its kernels are ended after the last test of the file.

    `pytestmark = pytest.mark.tfkernel(field=...)` changes fields for all of them.
    """
    yield from _kernels(request)


@pytest.fixture(scope="module")
def tfkernel_module(tfkernel_module_factory: KernelFactory) -> Kernel:
    """A running kernel that the tests of a file share, with all that they do to it."""
    return _kernel(tfkernel_module_factory)


@pytest.fixture(scope="session")
def tfkernel_session_factory(request: pytest.FixtureRequest) -> Iterator[KernelFactory]:
    """As `tfkernel_factory`, for fixtures of any scope: its kernels are ended after the last test of all."""
    yield from _kernels(request)


@pytest.fixture(scope="session")
def tfkernel_session(tfkernel_session_factory: KernelFactory) -> Kernel:
    """A running kernel that all tests share; under pytest-xdist, those of a worker."""
    return _kernel(tfkernel_session_factory)


def _kernels(request: pytest.FixtureRequest, spec: KernelSpec | None = None) -> Iterator[KernelFactory]:
    if sys.platform != "linux":
        pytest.skip("kernels of pytest-tfkernel run on Linux only")
    from pytest_tfkernel.processes.search_path import standard_library_first

    with standard_library_first():
        from pytest_tfkernel.plugin import making

    yield from making.kernels(request, spec or making.spec_of(request))


def _kernel(factory: KernelFactory, spec: KernelSpec | None = None) -> Kernel:
    from pytest_tfkernel.model.errors import TFKernelError

    try:
        return factory(spec)
    except TFKernelError as error:
        reason = str(error)
    # Not in the handler: pytest would show both.
    pytest.fail(f"no kernel: {reason}", pytrace=False)
