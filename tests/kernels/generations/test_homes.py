"""Jupyter's and Spyder's kernels need a home folder, and that is told before one dies of it."""

from __future__ import annotations

import pwd
import sys
from collections.abc import Callable

import pytest

from pytest_tfkernel.kernels.generations import homes
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.capabilities import JUPYTER, MULTIPROCESS, SPYDER, hosts
from pytest_tfkernel.model.errors import SpecError

StartKernel = Callable[..., Kernel]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `docker run --user 12345` has it."""

    def getpwuid(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    monkeypatch.delenv("HOME")


def test_the_password_file_may_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert homes.missing({}) == ""


def test_a_variable_is_enough(homeless: None) -> None:
    assert homes.missing({"HOME": "/nonexistent"}) == ""
    assert homes.missing({}).startswith("without a home folder: HOME isn't set, and user ")


def test_the_doctor_knows(homeless: None, launcher: Launcher) -> None:
    found = hosts(launcher.interpreter(sys.executable))
    for name in (JUPYTER, SPYDER):
        assert not found[name].available
        assert found[name].reason.startswith(("without a home folder", "not installed"))
    assert "home" not in found[MULTIPROCESS].reason


@pytest.mark.parametrize("name", [JUPYTER, SPYDER])
def test_a_kernel_is_refused_in_a_line(homeless: None, start: StartKernel, name: str) -> None:
    pytest.importorskip("jupyter_client")
    with pytest.raises(SpecError, match=rf"^provisioner='{name}' is without a home folder: [^\n]*: set HOME$"):
        start(provisioner=name)


@pytest.mark.usefixtures("homeless")
def test_a_home_of_the_spec_will_do(start: StartKernel, tmp_path: object) -> None:
    pytest.importorskip("jupyter_client")
    pytest.importorskip("ipykernel")
    assert start(provisioner=JUPYTER, environment={"HOME": str(tmp_path)}).execute("6 * 7").value == 42
