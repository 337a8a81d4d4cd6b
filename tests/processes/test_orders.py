"""What a new process takes on: it checks itself, and comes through as it was."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.processes.orders import Order, folder_of

_FULL = Order(7, "/tmp", ((resource.RLIMIT_NOFILE, 64),), ("/sys/fs/cgroup/x/cgroup.procs",))

_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no lease": ({"lease": 0}, "lease=0 must be a whole number above 0"),
    "lease below": ({"lease": -1}, "lease=-1 must be"),
    "lease of a wrong type": ({"lease": "7"}, "lease='7' must be"),
    "lease that is a truth": ({"lease": True}, "lease=True must be"),
    "lease of half a number": ({"lease": 7.5}, "lease=7.5 must be"),
    "empty folder": ({"folder": ""}, "folder='' must be a path or None"),
    "folder that no path is": ({"folder": "a\0b"}, "folder='a.x00b' must be"),
    "folder of a wrong type": ({"folder": Path("/tmp")}, r"folder=PosixPath\('/tmp'\) must be"),
    "limit below 0": ({"limits": ((7, -1),)}, "limits=.* must be pairs"),
    "limit of a wrong type": ({"limits": ((7, "64"),)}, "limits=.* must be pairs"),
    "rlimit of a wrong type": ({"limits": (("nofile", 64),)}, "limits=.* must be pairs"),
    "limit without a pair": ({"limits": ((7,),)}, "unpack"),
    "cgroup that depends on the folder": ({"cgroups": ("cgroup.procs",)}, "cgroups=.* must be absolute"),
}


@pytest.mark.parametrize(("changes", "words"), _WRONG.values(), ids=_WRONG)
def test_what_no_process_can_take_on_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Order(**{"lease": 1, **changes})


@pytest.mark.parametrize("order", [Order(1), Order(1, folder=None), _FULL], ids=["plain", "where it is", "full"])
def test_what_is_told_is_read(order: Order) -> None:
    assert Order.read(json.loads(json.dumps(order.for_child()))) == order


def test_that_of_a_kernel_has_what_its_spec_says() -> None:
    spec = KernelSpec(folder="/tmp", open_files_limit=64, address_space_limit=1 << 30, memory_limit=1 << 29)
    limits = ((resource.RLIMIT_AS, 1 << 30), (resource.RLIMIT_NOFILE, 64))
    assert Order.of(spec, 7, ["/x/cgroup.procs"]) == Order(7, "/tmp", limits, ("/x/cgroup.procs",))


def test_without_a_folder_it_is_the_working_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Order.of(KernelSpec(), 7, ()) == Order(7, str(tmp_path))


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(KernelStartError, match=r"^pytest's working folder was removed: change into .*$"):
        folder_of(KernelSpec())
