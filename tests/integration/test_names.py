"""Tests in a folder with modules that are named like those of the standard library."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hosted_kernels
from inner import Inner
from warm import BY_REQUEST, without

# As the script `pytest` does, which doesn't put the working folder on the path.
PYTEST = "import sys\ndel sys.path[0]\nimport pytest\nsys.exit(pytest.main())"
LOADED = "import sys\ndef test_loaded(): print('LOADED', *sys.modules)\n"
OURS = ["forkserver", "subprocess", "multiprocess-spawn", "multiprocess-forkserver", "multiprocess-fork"]
# What pytest's process needs for kernels, and an idle one hasn't loaded.
MINE = ("resource", "pickle", "secrets")
KERNELS = """
import pytest
import resource

@pytest.mark.parametrize("provisioner", {provisioners})
def test_kernel_lives(tfkernel_factory, provisioner):
    from pytest_tfkernel import ForkServer
    kernel = tfkernel_factory(provisioner=ForkServer(preload=()) if provisioner == "forkserver" else provisioner)
    assert kernel.execute("6 * 7").value == 42
    assert kernel.call(lambda: 7) == 7
    assert kernel.inject("sigkill").post_mortem.exit_status.signal == 9
    kernel.restart()
    assert kernel.execute("'back'").value == "back"

def test_names_are_those_of_the_folder():
    import pickle
    import secrets
    assert [resource.NAME, pickle.NAME, secrets.NAME] == ["resource", "pickle", "secrets"]
"""


def run(inner: Inner, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PYTEST, *without(*BY_REQUEST, "cacheprovider", "faulthandler"), *arguments],
        cwd=inner.folder,
        env={name: text for name, text in inner.environment.items() if name != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    sys.stdout.write(done.stdout + done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def needless(make_inner: Callable[[], Inner]) -> set[str]:
    """Names of the standard library that pytest doesn't need."""
    inner = make_inner()
    inner.write("test_loaded.py", LOADED)
    line = next(line for line in run(inner, "-q", "-s", "test_loaded.py").splitlines() if "LOADED" in line)
    unknown = {name for name in sys.stdlib_module_names if importlib.util.find_spec(name) is None}
    return set(sys.stdlib_module_names) - set(line.split()) - unknown - {"antigravity", "this"}


def fill(inner: Inner, needless: set[str], *, keep: tuple[str, ...] = MINE) -> None:
    """A module for each of them, which does nothing with its name but fail."""
    for name in needless - set(keep):
        inner.write(f"{name}.py", f"raise RuntimeError('the {name} of the folder was taken')\n")
    for name in keep:
        inner.write(f"{name}.py", f"NAME = {name!r}\n")


@pytest.mark.uncovered
def test_kernels_need_none_of_them_and_take_none_away(inner: Inner, needless: set[str]) -> None:
    fill(inner, needless)
    inner.write("test_kernels.py", KERNELS.format(provisioners=OURS))
    assert f"{len(OURS) + 1} passed" in run(inner, "-q", "test_kernels.py")


def test_the_gate_needs_none_of_them(inner: Inner, needless: set[str]) -> None:
    fill(inner, needless)
    # What kernels of each kind need is shown above; what the gate needs is the same for each.
    inner.write("test_kernels.py", KERNELS.format(provisioners=OURS[:1]))
    assert "1 passed" in run(inner, "-q", "--tfkernel-gate", "test_kernels.py", "-k", "lives")


THEIRS = ("random", "queue", "tempfile", "code", "socket")


@pytest.mark.parametrize(
    "names",
    [THEIRS, *(pytest.param((name,), marks=pytest.mark.soak) for name in (*THEIRS, "resource"))],
    ids="-".join,
)
def test_kernels_of_others_live_beside_them(inner: Inner, names: tuple[str, ...]) -> None:
    for module in ("jupyter_client", "ipykernel", "spyder_kernels"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"there is no {module}")
    for one in {*names, "resource"}:
        inner.write(f"{one}.py", f"NAME = {one!r}\n")
    inner.write("test_kernels.py", KERNELS.format(provisioners=["jupyter", "spyder"]))
    # Spyder without matplotlib, which takes longer than all the rest of it.
    plain = str(Path(hosted_kernels.__file__).parent / "plain")
    assert "2 passed" in run(inner, "-q", "test_kernels.py", "-k", "lives", PYTHONPATH=plain)


def test_a_page_needs_none_of_them(inner: Inner, needless: set[str]) -> None:
    for module in ("jinja2", "matplotlib"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"there is no {module}")
    fill(inner, needless)
    inner.write("test_mine.py", "def test_mine(): pass\n")
    run(inner, "-q", "test_mine.py", "--tfkernel-report=run.json", "--tfkernel-report=run.html")
    assert (inner.folder / "run.html").stat().st_size > 1000
