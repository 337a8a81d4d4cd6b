"""Whether a kernel spec makes sense, before anything is started for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_tfkernel.model import provisioners
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_SMALLEST_MEMORY = 16 * 1024 * 1024
_FEWEST_FILES = 16
_OF_BYTES = ("memory_limit", "address_space_limit")


def check(spec: KernelSpec) -> None:
    """Raise SpecError, in one line that says what to change, for a spec that can't work."""
    _check_types(spec)
    provisioners.chosen(spec.provisioner)
    if spec.folder is not None and not _is_folder(spec.folder):
        raise SpecError(f"folder={spec.folder!r} is not a folder: create it first, or leave it out")
    for name in ("timeout", "start_timeout"):
        if not getattr(spec, name) > 0:
            raise SpecError(f"{name}={getattr(spec, name)!r} must be seconds above 0")
    _check_limits(spec)


def _is_folder(name: str) -> bool:
    try:
        return name != "" and Path(name).is_dir()
    except OSError:
        return False


def _check_types(spec: KernelSpec) -> None:
    for name in ("python", "folder", "startup"):
        if not isinstance(getattr(spec, name), str) and not (name == "folder" and spec.folder is None):
            raise SpecError(f"{name}={getattr(spec, name)!r} must be a string")
    texts = spec.sys_path
    if not (isinstance(texts, tuple) and all(isinstance(one, str) for one in texts)):
        raise SpecError(f"sys_path={texts!r} must be a tuple of strings: write ('name',) with a comma")
    if not isinstance(spec.environment, Mapping) or not all(map(_is_variable, spec.environment.items())):
        raise SpecError(f"environment={spec.environment!r} must be a dict of strings (or None, to remove a variable)")
    _check_numbers(spec)


def _check_numbers(spec: KernelSpec) -> None:
    for name in ("timeout", "start_timeout"):
        if not isinstance(getattr(spec, name), int | float):
            raise SpecError(f"{name}={getattr(spec, name)!r} must be seconds above 0")
    for name in ("memory_limit", "process_limit", "address_space_limit", "open_files_limit"):
        if not isinstance(getattr(spec, name), int | None):
            unit = " of bytes, such as 2 << 30" if name in _OF_BYTES else ""
            raise SpecError(f"{name}={getattr(spec, name)!r} must be a whole number{unit}")


def _is_variable(pair: tuple[object, object]) -> bool:
    name, text = pair
    return isinstance(name, str) and name != "" and "=" not in name and isinstance(text, str | None)


def _check_limits(spec: KernelSpec) -> None:
    smallest = {
        "memory_limit": _SMALLEST_MEMORY,
        "process_limit": 1,
        "address_space_limit": _SMALLEST_MEMORY,
        "open_files_limit": _FEWEST_FILES,
    }
    for name, least in smallest.items():
        limit = getattr(spec, name)
        if limit is not None and limit < least:
            raise SpecError(f"{name}={limit!r} is too little for Python to start: give at least {least}")
    memory, address_space = spec.memory_limit, spec.address_space_limit
    if memory is not None and address_space is not None and address_space < memory:
        raise SpecError(
            f"address_space_limit={address_space} is below memory_limit={memory},"
            " which could then never be reached: drop one of them"
        )
