"""Kernelspecs that are installed for Jupyter: which interpreter each of them runs."""

from __future__ import annotations

import sys

from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.processes.search_path import standard_library_first

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


def interpreter_of(name: str) -> str:
    """The first word of what a kernelspec runs. Raises SpecError when there is none of that name."""
    try:
        with standard_library_first():
            from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        raise SpecError(
            f"kernelspec={name!r} needs jupyter_client beside pytest:"
            f" `{sys.executable} -m pip install 'pytest-tfkernel[jupyter]'`"
        ) from None
    manager = KernelSpecManager()
    try:
        argv = manager.get_kernel_spec(name).argv
    except NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise SpecError(f"kernelspec={name!r} is not installed; `jupyter kernelspec list` has: {known}") from None
    except Exception as error:  # noqa: BLE001 - it is a file of somebody else's
        raise SpecError(f"kernelspec={name!r} can't be read ({type(error).__name__}: {error})") from None
    if not argv:
        raise SpecError(f"kernelspec={name!r} runs nothing: its argv is empty")
    first = str(argv[0])
    # What jupyter_client takes for its own interpreter.
    own = {"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
    return sys.executable if first in own else first
