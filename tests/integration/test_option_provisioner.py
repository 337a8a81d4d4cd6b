"""`--tfkernel-provisioner` and its ini value."""

from __future__ import annotations

import pytest

from inner import Inner


def _provisioners(inner: Inner) -> set[str]:
    return {setting.partition("-")[0] for _, setting in inner.played()}


@pytest.mark.parametrize("names", [["subprocess"], ["forkserver"], ["subprocess", "forkserver"]], ids="+".join)
def test_chooses(canned: Inner, names: list[str]) -> None:
    assert canned.run("--tfkernel", *(f"--tfkernel-provisioner={name}" for name in names)).ret == 0
    # The control of the look for leaks is always played.
    assert _provisioners(canned) == {*names, "subprocess"}
    others = [setting for _, setting in canned.played() if not setting.startswith("subprocess-planted-leaks-")]
    assert {setting.partition("-")[0] for setting in others} == set(names)


def test_default_is_all_that_are_installed(canned: Inner) -> None:
    for module in ("ipykernel", "spyder_kernels"):
        pytest.importorskip(module)
    canned.run("--tfkernel")
    assert _provisioners(canned) == {"subprocess", "forkserver", "jupyter", "spyder"}


def test_ini_value_chooses_and_the_option_wins(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_provisioner =\n    subprocess\n")
    canned.run("--tfkernel")
    assert _provisioners(canned) == {"subprocess"}
    canned.run("--tfkernel", "--tfkernel-provisioner=forkserver")
    assert _provisioners(canned) == {"subprocess", "forkserver"}


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "workers"])
def test_unknown_name_is_one_clear_error(canned: Inner, arguments: tuple[str, ...]) -> None:
    result = canned.run("--tfkernel", "--tfkernel-provisioner=docker", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "".join(result.errlines) == (
        "ERROR: --tfkernel-provisioner=docker: unknown; choose from forkserver, jupyter, multiprocess-fork,"
        " multiprocess-forkserver, multiprocess-spawn, spyder, subprocess"
    )
    assert canned.played() == []


def test_is_what_the_fixture_uses(inner: Inner) -> None:
    inner.write("test_mine.py", "def test_mine(tfkernel_spec): assert tfkernel_spec.provisioner == 'subprocess'\n")
    assert inner.run("--tfkernel-provisioner=subprocess").ret == 0
    inner.write("pytest.ini", "[pytest]\ntfkernel_provisioner = subprocess\n")
    assert inner.run().ret == 0
