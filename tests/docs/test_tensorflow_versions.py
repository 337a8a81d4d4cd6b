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
    assert len(paths) == 7
    for path in paths:
        run = load(path)
        assert run.complete
        assert run.end is not None
        assert run.end.unreported == []
        assert [f"tensorflow-{kernel.tensorflow}" for kernel in run.environment.kernels] == [path.stem]
        assert [one.item for one in run.verdicts if one.verdict == "FAIL"] == []


def test_what_is_known_is_known_in_each_that_has_it() -> None:
    heard = {
        path.stem.removeprefix("tensorflow-"): verdict.verdict
        for path in (ROOT / "reference").glob("tensorflow-*.json")
        for verdict in load(path).verdicts
        if verdict.guarantee == "interrupt-is-heard"
    }
    assert {version for version, word in heard.items() if word == "KNOWN"} == {
        *("2.18.1", "2.20.0", "2.21.0", "2.22.0.dev20260905")
    }
    assert {heard[version] for version in ("1.15.5", "2.12.1", "2.15.1")} == {"PASS"}


def test_a_nightly_is_marked_with_its_date_and_comes_last() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_tensorflow_versions.py"))
    assert made["named"]("2.22.0.dev20260905") == "2.22.0.dev20260905 (a nightly of 2026-09-05)"
    assert made["named"]("2.21.0") == "2.21.0"
    assert [*made["documents"]()][-1] == "2.22.0.dev20260905"
