"""Temporary files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from accounts import Account, as_nobody
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.probes.files import Files
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind

OpenAccount = Callable[..., Account]


def test_files_and_folders_that_stay_are_found(open_account: OpenAccount, tmp_path: Path) -> None:
    account = open_account(folder=tmp_path)
    account.run(
        f"import os\nos.mkdir({str(tmp_path / 'folder')!r})\nopen({str(tmp_path / 'folder/inside')!r}, 'w')", "first"
    )
    account.do(f"os.symlink('nowhere', {str(tmp_path / 'link')!r})")
    found = {leak.resource.name: (leak.resource.detail, leak.since) for leak in account.die().leaks}
    assert found == {str(tmp_path / "folder"): ("folder", "first"), str(tmp_path / "link"): ("file", "")}


def test_files_that_were_removed_are_no_leak(open_account: OpenAccount, tmp_path: Path) -> None:
    account = open_account(folder=tmp_path)
    account.run(f"open({str(tmp_path / 'file')!r}, 'w')")
    account.run(f"import os\nos.unlink({str(tmp_path / 'file')!r})")
    assert account.die().leaks == ()


def test_each_kernel_is_blamed_for_its_own_files(open_account: OpenAccount, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (open_account(folder=tmp_path / name) for name in ("one", "two"))
    one.run(f"open({str(tmp_path / 'one/file')!r}, 'w')")
    assert two.die().leaks == ()
    assert [leak.resource.kind for leak in one.die().leaks] == [Kind.FILE]


def test_a_file_may_have_any_name(open_account: OpenAccount, tmp_path: Path) -> None:
    account = open_account(folder=tmp_path)
    account.run(f"open({os.fsencode(tmp_path) + b'/a b' + bytes([10, 255])!r}, 'w')")
    (leak,) = account.die().leaks
    assert os.fsencode(leak.resource.name) == os.fsencode(tmp_path) + b"/a b\n\xff"
    assert "\n" not in str(leak)
    str(leak).encode()


def test_a_folder_that_is_gone_holds_nothing(open_account: OpenAccount, tmp_path: Path) -> None:
    account = open_account(folder=tmp_path / "gone")
    account.run("1")
    audit = account.die()
    assert (audit.leaks, audit.blind) == ((), ())


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    table = Table()

    def look() -> list[str]:
        held = list(Files().held(Look(table, (), frozenset(), ProcessId(1, 0), folder)))
        return [*map(str, held), *map(str, table.blind)]

    for one in (tmp_path, *tmp_path.parents[:2]):
        one.chmod(0o755)
    assert as_nobody(look) == [f"{folder}: Permission denied"]
