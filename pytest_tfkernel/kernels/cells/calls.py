"""Functions for kernels: pickled by value, so that nothing of pytest's has to be importable there."""

from __future__ import annotations

import base64
import contextlib
import pickle
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_tfkernel.model.errors import CallError
from pytest_tfkernel.processes.search_path import standard_library_first
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


def name_of(function: Callable[..., Any]) -> str:
    """How a person calls it."""
    return getattr(function, "__qualname__", repr(function))


def pack(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Message:
    """The request that calls a function. Raises CallError when it can't be pickled."""
    with standard_library_first():
        import cloudpickle

    try:
        with _by_value(function):
            payload = cloudpickle.dumps((function, tuple(args), dict(kwargs)))
    except Exception as error:
        raise CallError(
            f"{name_of(function)} can't be sent ({type(error).__name__}: {error}):"
            " take locks, files, sessions and the like out of its closure and arguments"
        ) from error
    return {
        "kind": "call",
        "payload": base64.b64encode(payload).decode("ascii"),
        "cloudpickle": str(Path(cloudpickle.__file__).parent),
    }


def unpack(pickled: str) -> Any:
    """What a call returned. Raises CallError when it can't be read here."""
    try:
        return pickle.loads(base64.b64decode(pickled))  # noqa: S301 - it ran our caller's function as our caller
    except Exception as error:
        raise CallError(
            f"the result can't be read here ({type(error).__name__}: {error}): return plain data"
        ) from error


@contextlib.contextmanager
def _by_value(function: Callable[..., Any]) -> Iterator[None]:
    """Send the module of a function along, unless it is installed and so importable everywhere."""
    import cloudpickle

    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if module is None or module.__name__ == "__main__" or _is_installed(module):
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _is_installed(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        return True
    folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    folders += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return any(Path(file).is_relative_to(folder) for folder in folders)
