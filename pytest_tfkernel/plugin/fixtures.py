"""The fixtures: kernels for people's own tests."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_tfkernel.plugin.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_tfkernel.kernels.kernel import Kernel
    from pytest_tfkernel.model.kernels import KernelSpec


class KernelFactory(Protocol):
    """What the fixture `tfkernel_factory` gives."""

    def __call__(self, spec: KernelSpec | None = None, **changes: Any) -> Kernel:
        """A running kernel of `spec`, or of `tfkernel_spec`, with some fields changed."""


@pytest.fixture
def tfkernel_spec(request: pytest.FixtureRequest) -> KernelSpec:
    """The kernel spec of this test; override this fixture to change it for a module or a folder.

    Kernels start in pytest's root folder, with the folder of the test file and pytest's own
    `pythonpath` on `sys.path`. The marker `tfkernel(field=...)` changes fields for one test.
    """
    import dataclasses

    from pytest_tfkernel.processes.isolation import standard_library_first

    with standard_library_first():
        from pytest_tfkernel.model.kernels import KernelSpec

    options = request.config.stash[OPTIONS]
    fields: dict[str, Any] = {
        "python": options.pythons[0],
        "provisioner": options.provisioners[0] if options.provisioners else "forkserver",
        "kernelspec": options.kernelspec,
        "folder": str(request.config.rootpath),
        "sys_path": (str(request.path.parent), *map(str, request.config.getini("pythonpath"))),
    }
    known = [field.name for field in dataclasses.fields(KernelSpec)]
    for marker in reversed(list(request.node.iter_markers("tfkernel"))):
        wrong = [*map(repr, marker.args), *(name for name in marker.kwargs if name not in known)]
        if wrong:
            choice = ", ".join(known)
            pytest.fail(f"the marker tfkernel takes no {wrong[0]}: give by name some of {choice}", pytrace=False)
        fields.update(marker.kwargs)
    return KernelSpec(**fields)


@pytest.fixture
def tfkernel_factory(request: pytest.FixtureRequest, tfkernel_spec: KernelSpec) -> Iterator[KernelFactory]:
    """Makes kernels: `tfkernel_factory()`, `tfkernel_factory(timeout=5)`, `tfkernel_factory(spec)`.

    All of them are ended after the test. The test fails if one of their processes had to be killed.
    """
    if sys.platform != "linux":
        pytest.skip("kernels of pytest-tfkernel run on Linux only")
    import dataclasses

    from pytest_tfkernel.processes.isolation import standard_library_first

    with standard_library_first():
        from pytest_tfkernel.model.errors import SpecError, TFKernelError
        from pytest_tfkernel.model.kernels import KernelSpec
        from pytest_tfkernel.plugin.launching import launcher_of

    reason = ""
    try:
        launcher = launcher_of(request.config)
    except TFKernelError as error:
        reason = str(error)
    if reason:
        # Not in the handler: pytest would show both.
        pytest.fail(f"no kernel: {reason}", pytrace=False)
    kernels: list[Kernel] = []

    def make(spec: KernelSpec | None = None, **changes: Any) -> Kernel:
        __tracebackhide__ = True
        if not isinstance(spec, KernelSpec | None):
            raise SpecError(f"{spec!r} is no KernelSpec: write tfkernel_factory(name=...) or pass a KernelSpec")
        kernel = launcher.start(dataclasses.replace(spec or tfkernel_spec, **changes))
        kernels.append(kernel)
        return kernel

    yield make
    for kernel in kernels:
        kernel.shutdown()
    left = [f"{one}, started by kernel {one.started_by}" for kernel in kernels for one in kernel.left_behind]
    if left and request.session.exitstatus == pytest.ExitCode.INTERRUPTED:
        # Nobody catches an error of a fixture that is torn down after Ctrl-C.
        warnings.warn(f"left running (ended now): {'; '.join(left)}", stacklevel=1)
    elif left:
        pytest.fail(f"{request.node.nodeid} left running (ended now): {'; '.join(left)}", pytrace=False)


@pytest.fixture
def tfkernel(tfkernel_factory: KernelFactory, tfkernel_spec: KernelSpec) -> Kernel:
    """A running kernel of `tfkernel_spec`: `execute`, `call`, `inject`, `restart` and so on.

    It is ended after the test. The test fails if one of its processes had to be killed.
    """
    from pytest_tfkernel.model.errors import TFKernelError

    try:
        return tfkernel_factory(tfkernel_spec)
    except TFKernelError as error:
        reason = str(error)
    # Not in the handler: pytest would show both.
    pytest.fail(f"no kernel: {reason}", pytrace=False)
