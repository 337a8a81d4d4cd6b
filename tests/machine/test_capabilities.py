"""What a machine can check, and what is said of what it can't."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine import capabilities as module
from pytest_tfkernel.machine.capabilities import capabilities, hosts
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.processes.cgroups import CgroupUnavailableError, Parent

WITH = Interpreter("/usr/bin/python3", (3, 11, 7), "2.21.0")
WITHOUT = Interpreter("/opt/bare/python", (3, 13, 0), None)


@pytest.fixture
def gpus(launcher: Launcher, tmp_path: Path) -> Gpus:
    """Of a machine whose devices are those that the test makes."""
    return Gpus(launcher, devices=tmp_path)


def named(interpreter: Interpreter, gpus: Gpus) -> dict[str, Capability]:
    return {one.name: one for one in capabilities(interpreter, gpus)}


def test_names_are_those_that_can_be_required(gpus: Gpus) -> None:
    assert list(named(WITH, gpus)) == [
        "tensorflow",
        "oom-kill",
        "process-limit",
        "jupyter",
        "spyder",
        "multiprocess",
        "gpu",
        "nvml-processes",
        "gpu-memory",
    ]


def test_tensorflow_is_that_of_the_kernels(gpus: Gpus) -> None:
    assert named(WITH, gpus)["tensorflow"].available
    missing = named(WITHOUT, gpus)["tensorflow"]
    assert not missing.available
    assert "`/opt/bare/python -m pip install tensorflow-cpu`" in missing.reason


PACKAGES = {"ipykernel": "6.31.0", "spyder_kernels": "3.1.6", "multiprocess": "0.70.19"}


def test_hosts_are_there_with_what_the_kernel_needs() -> None:
    everything = dataclasses.replace(WITH, packages=PACKAGES)
    assert [one.available for one in hosts(everything).values()] == [True] * 3


@pytest.mark.parametrize(
    ("module", "host", "package"),
    [
        ("ipykernel", "jupyter", "ipykernel"),
        ("spyder_kernels", "spyder", "spyder-kernels"),
        ("multiprocess", "multiprocess", "multiprocess"),
    ],
)
def test_host_lacks_what_the_kernel_lacks_and_no_other_does(module: str, host: str, package: str) -> None:
    without = dataclasses.replace(WITH, packages={name: one for name, one in PACKAGES.items() if name != module})
    found = hosts(without)
    assert [name for name, one in found.items() if not one.available] == [host]
    assert found[host].reason == f"not installed: {package}: `/usr/bin/python3 -m pip install {package}`"


def test_hosts_lack_the_client_that_pytest_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = hosts(dataclasses.replace(WITH, packages=PACKAGES))
    assert [one.available for one in found.values()] == [False, False, True]
    assert found["spyder"].reason.endswith("-m pip install 'pytest-tfkernel[spyder]'`")


@pytest.mark.parametrize("device", ["nvidiactl", "nvidia-uvm", "null"])
def test_gpu_is_not_there_with_files_of_the_driver_only(gpus: Gpus, tmp_path: Path, device: str) -> None:
    (tmp_path / device).touch()
    missing = named(WITH, gpus)["gpu"]
    assert not missing.available
    assert str(tmp_path) in missing.reason


def test_limits_are_there_where_a_cgroup_can_be_made(
    gpus: Gpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_parent(controller: str) -> Parent:
        if controller == "pids":
            raise CgroupUnavailableError("no pids: ask the administrator")
        return Parent(2, tmp_path)

    monkeypatch.setattr(module, "find_parent", find_parent)
    found = named(WITH, gpus)
    assert found["oom-kill"].available
    assert (found["process-limit"].available, found["process-limit"].reason) == (
        False,
        "no pids: ask the administrator",
    )
