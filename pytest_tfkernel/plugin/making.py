"""What the fixtures do: the kernel spec of a test, a module or the session, and kernels that end with it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.model.errors import SpecError, TFKernelError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Jupyter, respelled
from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.plugin.launching import launcher_of
from pytest_tfkernel.plugin.telling import KernelTelling

if TYPE_CHECKING:
    from pytest_tfkernel.kernels.factory import KernelFactory
    from pytest_tfkernel.kernels.kernel import Kernel


def spec_of(request: pytest.FixtureRequest) -> KernelSpec:
    """The usual spec of a test, a module or the session, with what its markers change."""
    options = options_of(request.config)
    fields: dict[str, Any] = {
        "python": options.pythons[0],
        "provisioner": options.provisioners[0] if options.provisioners else "forkserver",
        "folder": str(request.config.rootpath),
        "sys_path": _sys_path(request),
    }
    known = [field.name for field in dataclasses.fields(KernelSpec)]
    for marker in reversed(list(request.node.iter_markers("tfkernel"))):
        if words := respelled(marker.kwargs):
            pytest.fail(f"the marker tfkernel: {words}", pytrace=False)
        wrong = [*map(repr, marker.args), *(name for name in marker.kwargs if name not in known)]
        if wrong:
            choice = ", ".join(known)
            pytest.fail(f"the marker tfkernel takes no {wrong[0]}: give by name some of {choice}", pytrace=False)
        fields.update(marker.kwargs)
    return _with_kernelspec(KernelSpec(**fields), options.kernelspec)


def _sys_path(request: pytest.FixtureRequest) -> tuple[str, ...]:
    beside = [] if request.scope == "session" else [str(request.path.parent)]
    return (*beside, *map(str, request.config.getini("pythonpath")))


def _changed(spec: KernelSpec, changes: dict[str, Any]) -> KernelSpec:
    """A spec with some fields changed. Raises SpecError where no frame is shown: that of `replace` is none of ours."""
    __tracebackhide__ = True
    if words := respelled(changes):
        raise SpecError(words)
    known = [field.name for field in dataclasses.fields(KernelSpec)]
    if wrong := [name for name in changes if name not in known]:
        raise SpecError(f"a KernelSpec has no {wrong[0]}: give by name some of {', '.join(known)}")
    return dataclasses.replace(spec, **changes)


def _with_kernelspec(spec: KernelSpec, name: str | None) -> KernelSpec:
    """That of the options, if any, for a Jupyter kernel that names none itself."""
    given = Jupyter() if spec.provisioner == Jupyter().name else spec.provisioner
    if name is None or not isinstance(given, Jupyter) or given.kernelspec is not None:
        return spec
    return dataclasses.replace(spec, provisioner=dataclasses.replace(given, kernelspec=name))


def kernels(request: pytest.FixtureRequest, usual: KernelSpec) -> Iterator[KernelFactory]:
    """Gives what makes kernels, and ends them; the test fails if one of their processes had to be killed."""
    reason = ""
    try:
        launcher = launcher_of(request.config)
    except TFKernelError as error:
        reason = str(error)
    if reason:
        # Not in the handler: pytest would show both.
        pytest.fail(f"no kernel: {reason}", pytrace=False)
    made = KernelTelling.of(request.config).kernels_of(request.node)

    def make(spec: KernelSpec | None = None, **changes: Any) -> Kernel:
        __tracebackhide__ = True
        if not isinstance(spec, KernelSpec | None):
            raise SpecError(f"{spec!r} is not a KernelSpec: write {request.fixturename}(name=...) or pass a KernelSpec")
        chosen = _changed(spec or usual, changes)
        if spec is None:
            chosen = _with_kernelspec(chosen, options_of(request.config).kernelspec)
        else:
            # Whatever else it says, it is a kernel of this test, and finds what the test finds.
            missing = [folder for folder in _sys_path(request) if folder not in chosen.sys_path]
            chosen = dataclasses.replace(chosen, sys_path=(*chosen.sys_path, *missing))
        kernel = launcher.start(chosen)
        made.append(kernel)
        return kernel

    yield make
    for kernel in made:
        kernel.shutdown()
    left = [f"{one}, started by kernel {one.started_by}" for kernel in made for one in kernel.left_behind]
    if left and request.session.exitstatus == pytest.ExitCode.INTERRUPTED:
        # Nobody catches an error of a fixture that is torn down after Ctrl-C.
        warnings.warn(f"left running (ended now): {'; '.join(left)}", stacklevel=1)
    elif left:
        pytest.fail(
            f"{request.node.nodeid or 'the session'} left running (ended now): {'; '.join(left)}", pytrace=False
        )
