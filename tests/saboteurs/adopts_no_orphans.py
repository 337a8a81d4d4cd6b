"""A test file, not a cell: a pytest whose supervisor is no subreaper, so that a daemon's parent is somebody else."""

import os
import shutil
from pathlib import Path

from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.processes import supervisor
from pytest_tfkernel.suite.scenarios.victim import _DAEMON


def maim(folder):
    """Of the code of child processes, a copy whose supervisor adopts nobody."""
    copy = Path(shutil.copytree(supervisor.CHILD_FOLDER, folder / "child"))
    file = copy / "supervisor.py"
    text = file.read_text(encoding="utf-8")
    assert text.count("process.become_subreaper()") == 1
    file.write_text(text.replace("process.become_subreaper()", "pass"), encoding="utf-8")
    return copy


def test_waits_to_be_killed(request, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "CHILD_FOLDER", maim(tmp_path))
    kernel = request.getfixturevalue("tfkernel_factory")(KernelSpec(provisioner="subprocess"))
    daemon = kernel.execute(_DAEMON).value
    os.write(int(os.environ["PYTEST_TFKERNEL_READY"]), b"%d\n" % daemon)
    kernel.execute("import signal\nsignal.pause()", timeout=600)
