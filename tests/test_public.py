"""The public names, which are loaded when they are used."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
import typing

import pytest

import pytest_tfkernel
from pytest_tfkernel import public


@pytest.mark.parametrize("name", public.NAMES)
def test_each_is_there(name: str) -> None:
    assert getattr(pytest_tfkernel, name).__name__ == name


def test_all_are_listed_in_order_and_once() -> None:
    assert sorted(set(public.NAMES)) == public.NAMES
    assert pytest_tfkernel.__all__ == dir(pytest_tfkernel) == public.NAMES


def test_another_name_is_refused_as_modules_do() -> None:
    with pytest.raises(AttributeError, match="module 'pytest_tfkernel' has no attribute 'Colonel'"):
        _ = pytest_tfkernel.Colonel


def test_star_import_works() -> None:
    code = "from pytest_tfkernel import *; print(KernelSpec, Kernel, KernelDied)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_package_is_typed() -> None:
    assert importlib.resources.files("pytest_tfkernel").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", ["KernelSpec", "Reply", "PostMortem", "Outcome", "Fault"])
def test_annotations_can_be_evaluated(name: str) -> None:
    assert typing.get_type_hints(getattr(pytest_tfkernel, name))
