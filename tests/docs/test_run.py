"""Commands of the pages about deaths are ones that there are, and do what the page says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tfkernel.run import advice, faults

DOCS = Path(__file__).parents[2] / "docs"
# A script that lives long enough to be struck or to be ended.
SOURCE = "import sys, time\nprint('trained', sys.argv[1:])\ntime.sleep({seconds})\n"


def _commands(page: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("pytest-tfkernel ")]


SCRIPTS = [one for page in ("run.md", "kernel-died.md") for one in _commands(page) if ".ipynb" not in one]
ENDS = {"--timeout=60": ("--timeout=0.5", 137), "--fault=sigkill@30": ("--fault=sigkill@0.2", 137)}


@pytest.mark.parametrize("command", dict.fromkeys(SCRIPTS))
def test_a_command_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    code, seconds = 0, 0
    for long, (short, end) in ENDS.items():
        if long in command:
            command, code, seconds = command.replace(long, short), end, 62
    if command.startswith("pytest-tfkernel deaths "):
        code = 2  # there is none
    (tmp_path / "train.py").write_text(SOURCE.format(seconds=seconds), encoding="utf-8")
    words = [sys.executable, "-I", "-m", "pytest_tfkernel", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    if "cgroup" in done.stderr and done.returncode == 2:
        pytest.skip(done.stderr)
    assert done.returncode == code, done.stderr
    assert ("trained" in done.stdout) == (" run " in command)


def test_each_phase_of_a_script_is_documented() -> None:
    text = (DOCS / "run.md").read_text(encoding="utf-8")
    assert [phase for phase in faults.PHASES if f"| `{phase}` |" not in text] == []


def test_advice_is_given_for_each_cause_that_the_page_names() -> None:
    assert {one.name for one in advice.ALL} >= {"oom", "native-crash", "illegal-instruction", "killed"}
