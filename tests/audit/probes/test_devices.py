"""Open handles of devices."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts import CHILD, LEADERLESS, Account
from pytest_tfkernel.audit.probes.base import Look, Probe
from pytest_tfkernel.audit.probes.devices import GPUS, Devices
from pytest_tfkernel.audit.probes.processes import Processes
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind

OpenAccount = Callable[..., Account]


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Stands for the device of a GPU."""
    device = tmp_path / "nvidia0"
    device.touch()
    return device


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Devices(re.compile(re.escape(f"{tmp_path}/nvidia")))


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/dev/nvidia0", True),
        ("/dev/nvidiactl", True),
        ("/dev/nvidia-uvm (deleted)", True),
        ("/dev/dri/renderD128", True),
        ("/dev/dxg", True),
        ("/dev/dri/card0", False),
        ("/tmp/dev/nvidia0", False),
    ],
)
def test_devices_of_gpus_are_known_by_their_paths(path: str, is_one: bool) -> None:
    assert bool(GPUS.match(path)) is is_one


def test_a_handle_that_a_child_has_inherited_is_found(open_account: OpenAccount, probe: Probe, device: Path) -> None:
    account = open_account(probe)
    pid = account.run(f"{CHILD}\nhandles = [os.open({str(device)!r}, os.O_RDONLY) for _ in range(2)]\nchild(int)")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name) == (Kind.DEVICE, str(device))
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


def test_a_device_that_is_open_twice_is_held_once(account: Account, probe: Probe, device: Path) -> None:
    account.do(f"handles = [open({str(device)!r}) for _ in range(2)]")
    table = Table()
    entry = table.entry(account.kernel.pid)
    assert entry is not None
    held = list(probe.held(Look(table, (entry,), frozenset(), entry.process)))
    assert [resource.name for resource in held] == [str(device)]


def test_a_handle_goes_with_its_last_process(open_account: OpenAccount, probe: Probe, device: Path) -> None:
    account = open_account(probe)
    account.run(f"handle = open({str(device)!r})")
    assert account.die().leaks == ()


def test_threads_that_outlive_the_first_one_keep_their_handles(
    open_account: OpenAccount, probe: Probe, device: Path
) -> None:
    account = open_account(Processes(), probe)
    pid = account.run(f"{LEADERLESS}\nleaderless(lambda: os.open({str(device)!r}, os.O_RDONLY))")
    assert os.listdir(f"/proc/{pid}/fd") == []
    thread, handle = account.die().leaks
    assert (thread.resource.kind, handle.resource.kind) == (Kind.THREAD, Kind.DEVICE)
    assert [holder.process.pid for holder in handle.resource.holders] == [pid]


def test_a_thread_with_descriptors_of_its_own_is_looked_at(
    open_account: OpenAccount, probe: Probe, device: Path
) -> None:
    account = open_account(probe)
    work = f"libc.unshare(0x400) and os._exit(1); os.open({str(device)!r}, os.O_RDONLY); ready.set(); libc.pause()"
    start = "ready = threading.Event(); threading.Thread(target=exec, args=(work, globals())).start(); ready.wait()"
    pid = account.run(
        f"{CHILD}\nimport ctypes, threading\nlibc = ctypes.CDLL(None)\nwork = {work!r}\nchild(exec, {start!r}, globals())"
    )
    assert str(device) not in [os.readlink(link.path) for link in os.scandir(f"/proc/{pid}/fd")]
    table = Table()
    links = list(table.links([table.entries[pid]]))
    # What the threads share is there once.
    assert len(links) == len(set(links)) > len(os.listdir(f"/proc/{pid}/fd"))
    (leak,) = account.die().leaks
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


def test_each_kernel_is_blamed_for_its_own_handle(open_account: OpenAccount, probe: Probe, device: Path) -> None:
    both = open_account(probe), open_account(probe)
    cell = f"{CHILD}\nhandle = open({str(device)!r})\nchild(int)"
    for account, pid in [(account, account.run(cell)) for account in both]:
        (leak,) = account.die().leaks
        assert [holder.process.pid for holder in leak.resource.holders] == [pid]


def test_a_device_may_have_any_name(open_account: OpenAccount, probe: Probe, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/nvidia \n\xff (deleted)"
    account = open_account(probe)
    account.run(f"{CHILD}\nhandle = os.open({name!r}, os.O_CREAT)\nchild(int)")
    (leak,) = account.die().leaks
    assert os.fsencode(leak.resource.name) == name
    str(leak).encode()
    assert "\n" not in str(leak)
