"""A TMPDIR that is named from the working folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import hosted_kernels
from inner import Inner, counts
from warm import Warm

KERNELS = """
import os
import tempfile
import pytest

PROVISIONERS = {
    "forkserver": "", "subprocess": "", "jupyter": "ipykernel", "spyder": "spyder_kernels",
    "multiprocess-spawn": "multiprocess", "multiprocess-forkserver": "multiprocess", "multiprocess-fork": "multiprocess",
}

@pytest.mark.parametrize("provisioner", PROVISIONERS)
def test_kernel_lives(tfkernel_factory, provisioner):
    if PROVISIONERS[provisioner]:
        pytest.importorskip(PROVISIONERS[provisioner])
    from pytest_tfkernel import ForkServer
    kernel = tfkernel_factory(provisioner=ForkServer(preload=()) if provisioner == "forkserver" else provisioner)
    folder = kernel.execute("import tempfile; tempfile.gettempdir()").value
    assert os.path.isabs(folder)
    assert folder.startswith(os.path.abspath(os.environ["TMPDIR"]))
    assert kernel.inject("sigkill").post_mortem.exit_status.signal == 9
    kernel.restart()
    assert kernel.execute("'back'").value == "back"
"""


@pytest.fixture
def short(warm: Warm) -> Iterator[Inner]:
    """In a folder with a short name: below one with a long name are no sockets, and another is taken."""
    folder = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    yield Inner.make(folder, warm=warm)
    shutil.rmtree(folder)


# Which folder it is, no kind asks.
@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("temporary", ""),
        (".", "subprocess or fork"),
        ("./temporary/..", "subprocess or fork"),
        pytest.param(".", "", marks=pytest.mark.soak),
        pytest.param("./temporary/..", "", marks=pytest.mark.soak),
    ],
)
def test_kernels_of_every_kind_live(short: Inner, folder: str, kinds: str) -> None:
    if importlib.util.find_spec("jupyter_client") is None:
        pytest.skip("there is no jupyter_client")
    short.write("test_kernels.py", KERNELS)
    short.write("temporary/kept", "")
    # Spyder without matplotlib, which takes longer than all the rest of it.
    paths = os.pathsep.join([str(Path(hosted_kernels.__file__).parent / "plain"), short.environment["PYTHONPATH"]])
    result = short.run("test_kernels.py", "-p", "no:cacheprovider", "-k", kinds, TMPDIR=folder, PYTHONPATH=paths)
    assert set(counts(result)) <= {"passed", "skipped"}
    assert counts(result)["passed"] >= 3
    assert sorted(path.name for path in short.folder.rglob("*") if path.name.startswith("tfk-")) == []
