"""The page of TensorFlow's versions is made from the reference runs, and says what they hold."""

from __future__ import annotations

import runpy
from pathlib import Path

from pytest_tfkernel.report.store import load

ROOT = Path(__file__).parents[2]


def test_page_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_tensorflow_versions.py"))
    text = (ROOT / "docs" / "tensorflow-versions.md").read_text(encoding="utf-8")
    assert text == made["page"](made["documents"]())


def test_reference_runs_are_whole_and_of_what_their_names_say() -> None:
    paths = sorted((ROOT / "reference").glob("tensorflow-*.json"))
    assert len(paths) == 6
    for path in paths:
        run = load(path)
        assert run.complete
        assert run.end is not None
        assert run.end.unreported == []
        assert [f"tensorflow-{kernel.tensorflow}" for kernel in run.environment.kernels] == [path.stem]
        assert [one.item for one in run.verdicts if one.verdict == "FAIL"] == []
