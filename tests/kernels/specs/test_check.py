"""A spec that contradicts itself is one line, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer, Jupyter, Multiprocess, Spyder

_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "provisioner": ({"provisioner": "thread"}, "provisioner='thread' is unknown: choose from subprocess, forkserver"),
    "provisioner of a wrong type": ({"provisioner": 5}, "provisioner=5 is unknown: choose from subprocess, forkserver"),
    "provisioner class": ({"provisioner": Jupyter}, r"provisioner=Jupyter is a class: write Jupyter\(\)"),
    "start method": (
        {"provisioner": Multiprocess("thread")},
        "method='thread' is unknown: choose from spawn, forkserver, fork",
    ),
    "start method of a wrong type": (
        {"provisioner": Multiprocess(["fork"])},  # type: ignore[arg-type]
        "method=.* is unknown: choose from spawn",
    ),
    "kernelspec number": ({"provisioner": Jupyter(kernelspec=5)}, "kernelspec=5 must be a string: name one that"),  # type: ignore[arg-type]
    "poll of Jupyter": ({"provisioner": Jupyter(restart_poll=0)}, "restart_poll=0 must be seconds above 0"),
    "poll of Spyder": ({"provisioner": Spyder(restart_poll="1")}, "restart_poll='1' must be seconds above 0"),  # type: ignore[arg-type]
    "poll nan": ({"provisioner": Spyder(restart_poll=float("nan"))}, "restart_poll=nan must be seconds above 0"),
    "old preload": ({"preload": ("json",)}, r"write provisioner=ForkServer\(preload=\('json',\)\)"),
    "folder path": ({"folder": Path("/tmp")}, r"folder=PosixPath\('/tmp'\) must be a string"),
    "sys_path numbers": ({"sys_path": (5,)}, r"sys_path=\(5,\) must be a tuple of strings"),
    "preload list": ({"provisioner": ForkServer(preload=["json"])}, r"preload=\['json'\] must be a tuple of strings"),  # type: ignore[arg-type]
    "environment number": ({"environment": {"A": 5}}, r"must be a dict of strings"),
    "environment name": ({"environment": {"A=B": "x"}}, r"must be a dict of strings"),
    "timeout text": ({"timeout": "5"}, r"timeout='5' must be seconds above 0"),
    "memory_limit float": (
        {"memory_limit": 1.5e8},
        r"memory_limit=150000000.0 must be a whole number of bytes, such as 2 << 30",
    ),
    "memory_limit text": ({"memory_limit": "2GiB"}, r"memory_limit='2GiB' must be a whole number of bytes"),
    "preload text": ({"provisioner": ForkServer(preload="json")}, r"tuple of strings: write \('name',\) with a comma"),  # type: ignore[arg-type]
    "sys_path text": ({"sys_path": "/tmp"}, r"tuple of strings"),
    "folder": ({"folder": "/no/such"}, "folder='/no/such' is not a folder: create it first"),
    "no folder": ({"folder": ""}, "folder='' is not a folder: create it first"),
    "long folder": ({"folder": "n" * 300}, "nnn' is not a folder: create it first"),
    "timeout": ({"timeout": 0}, "timeout=0 must be seconds above 0"),
    "timeout nan": ({"timeout": float("nan")}, "timeout=nan must be seconds above 0"),
    "start_timeout": ({"start_timeout": -1}, "start_timeout=-1 must be seconds above 0"),
    "memory": ({"memory_limit": 1000}, "memory_limit=1000 is too little for Python to start: give at least 16777216"),
    "processes": ({"process_limit": 0}, "process_limit=0 is too little"),
    "address space": ({"address_space_limit": 1}, "address_space_limit=1 is too little"),
    "files": ({"open_files_limit": 3}, "open_files_limit=3 is too little"),
    "both": (
        {"memory_limit": 1 << 30, "address_space_limit": 1 << 29},
        "address_space_limit=.* is below memory_limit=.*: drop one of them",
    ),
}


@pytest.mark.parametrize(("changes", "words"), _WRONG.values(), ids=_WRONG)
def test_what_cannot_work_is_one_line(launcher: Launcher, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=rf"^.*{words}.*$") as caught:
        launcher.start(KernelSpec(**changes))
    assert "\n" not in str(caught.value)
