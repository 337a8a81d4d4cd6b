"""The page of GPUs is made from reports, and tells of each what it is."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.gpu_report import figures
from pytest_tfkernel.gpu_report.figures import CheckResult, Figure, Figures
from pytest_tfkernel.gpu_report.machine import Card
from pytest_tfkernel.report.document import Document, Setting, Verdict
from pytest_tfkernel.report.store import encode

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "make_gpu.py"
UNMEASURED = "TensorFlow itself has not been run on a GPU yet"
GIB = 1 << 30
SETTING = Setting(
    kernel="tf2.21.0-py3.12", provisioner="forkserver", example="gpu-is-released", fault="sigkill", phase="idle"
)
FACTS: dict[str, Any] = {
    "held": {"listed": True, "memory": 100 * GIB},
    "release": {"listed": False, "seconds": 0.25, "error": "", "advisory": ""},
    "again": {"listed": True, "memory": 99 * GIB},
}
Sections = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def sections(made: dict[str, Any], tmp_path: Path) -> Sections:
    """The sections of a page of one report with these documents, by their names."""

    def sections(**written: object) -> dict[str, str]:
        folder = tmp_path / "sent"
        folder.mkdir(exist_ok=True)
        for name, document in written.items():
            (folder / f"{name.replace('__', '-')}.json").write_bytes(encode(document))
        found: dict[str, str] = made["sections"](made["reports"]([folder]))
        return found

    return sections


def measured(name: str = "NVIDIA H300", **changes: Any) -> Figures:
    """Figures without TensorFlow."""
    found = Figures(
        format=figures.FORMAT,
        schema=figures.SCHEMA,
        complete=True,
        card=Card(names=[name], driver="600.1", stand_in="tand-in" in name),
        linux="6.9",
        python="3.12.1",
        figures=[
            Figure(name="settled after exit", unit="s", tries=3, median=0.2, largest=1.25, values=[0.1, 0.2, 1.25])
        ],
        checks=[CheckResult(name="a", state="PASS", reason=""), CheckResult(name="b", state="UNKNOWN", reason="no")],
    )
    return msgspec.structs.replace(found, **changes)


def run(name: str = "NVIDIA H300", facts: dict[str, Any] | None = None, complete: bool = True) -> Document:
    """A run in which a kernel held memory of the GPU, or wanted to."""
    found = documents.document()
    machine = msgspec.structs.replace(found.environment.machine, gpus=[name], driver="600.1")
    trial = documents.trial(SETTING, facts=FACTS if facts is None else facts)
    verdict = Verdict(guarantee="no-cuda-context", setting=SETTING, item="tfkernel::x", verdict="PASS", reason="gone")
    return msgspec.structs.replace(
        found,
        complete=complete,
        environment=msgspec.structs.replace(found.environment, machine=machine),
        trials=[trial],
        verdicts=[verdict],
    )


def test_page_is_current(made: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")
    found = made["reports"](sorted((ROOT / "reference" / "gpu").iterdir()))
    assert text == made["page"](text, found), "run `python docs/make_gpu.py`"


def test_reference_reports_are_of_real_cards_and_tell_of_no_run_with_tensorflow_that_was_not_seen(
    made: dict[str, Any],
) -> None:
    found = made["reports"](sorted((ROOT / "reference" / "gpu").iterdir()))
    assert {"nvidia-h100", "nvidia-h200"} <= {one.name for one in found}
    assert not [one.name for one in found if one.stand_in]
    for path in (ROOT / "reference" / "gpu").glob("nvidia-h*00/driver.json"):
        one = figures.load(path)
        # Only what was written down is known of these; new documents have each try.
        assert bool(one.source) is not any(figure.values for figure in one.figures)


def test_what_was_measured_without_tensorflow_says_nothing_of_it(sections: Sections) -> None:
    found = sections(driver=measured())
    assert "| `sent` | NVIDIA H300 | 600.1 | 6.9 | not run | driver: 1 PASS, 1 UNKNOWN |" in found["cards"]
    assert UNMEASURED in found["cards"]
    assert UNMEASURED in found["releases"]
    assert "| settled after exit | 200 ms, at most 1.25 s (3) |" in found["figures"]
    assert found["stand-ins"] == ""


def test_a_release_with_tensorflow_is_a_row_with_its_fault(sections: Sections) -> None:
    found = sections(driver=measured(), standard=run())
    row = "| `sent` | 2.21.0 | `sigkill` | 100.0 GiB | 250 ms | 99.0 GiB | `no-cuda-context` PASS |"
    assert row in found["releases"]
    assert "| 2.21.0 | standard: 1 PASS; driver: 1 PASS, 1 UNKNOWN |" in found["cards"]
    assert UNMEASURED not in "".join(found.values())


@pytest.mark.parametrize("facts", [{}, {"held": {"listed": False, "memory": None}}])
def test_a_run_that_nobody_saw_on_the_gpu_is_no_measurement(sections: Sections, facts: dict[str, Any]) -> None:
    found = sections(standard=run(facts=facts))
    assert "| 2.21.0 (not seen on the GPU) |" in found["cards"]
    assert UNMEASURED in found["cards"]
    assert found["releases"].startswith(UNMEASURED)


@pytest.mark.parametrize("changes", [{"listed": True}, {"error": "NVML could not be read"}])
def test_what_is_not_gone_or_not_known_has_no_time(sections: Sections, changes: dict[str, Any]) -> None:
    facts = {**FACTS, "release": {**FACTS["release"], **changes}, "again": {"error": "out of memory"}}
    row = f"| 100.0 GiB | {'never' if 'listed' in changes else 'unknown'} | unknown |"
    assert row in sections(standard=run(facts=facts))["releases"]


@pytest.mark.parametrize("name", ["Stand-in H100", "NVIDIA H100 (STAND-IN)"])
def test_what_a_stand_in_shows_is_told_as_that_and_nowhere_else(sections: Sections, name: str) -> None:
    found = sections(driver=measured(name), standard=run(name))
    others = "".join(text for section, text in found.items() if section != "stand-ins")
    assert "sent" not in others
    assert UNMEASURED in found["cards"]
    assert "stand-in driver: nothing here was measured on a GPU" in found["stand-ins"]
    assert f"{name} (stand-in driver: nothing here was measured on a GPU)" in found["stand-ins"]
    assert "| `sent` | 2.21.0 | `sigkill` |" in found["stand-ins"]


def test_one_document_of_a_stand_in_makes_all_of_its_report_one(sections: Sections) -> None:
    found = sections(driver=measured(), standard=run("Stand-in H100"))
    assert "sent" not in found["cards"] + found["figures"] + found["releases"]


def test_of_several_attempts_the_whole_one_counts(sections: Sections) -> None:
    cut, whole = measured(complete=False, checks=[]), measured()
    found = sections(
        driver=cut, driver__2=whole, driver__3=cut, standard=run(complete=False, facts={}), standard__2=run()
    )
    assert "cut short" not in found["cards"]
    assert "sigkill" in found["releases"]


def test_what_was_cut_short_says_so(sections: Sections, tmp_path: Path) -> None:
    found = sections(driver=measured(complete=False), smoke=run(complete=False))
    assert "smoke: 1 PASS (cut short); driver: 1 PASS, 1 UNKNOWN (cut short)" in found["cards"]
    (tmp_path / "sent/smoke.json").rename(tmp_path / "sent/smoke.json.incomplete")
    assert "smoke: 1 PASS (cut short)" in sections()["cards"]


def test_text_of_others_keeps_to_its_cell(sections: Sections) -> None:
    found = sections(driver=measured("a | b\n# <img>"))
    assert "| a \\| b\\n# &lt;img> |" in found["cards"]


def test_what_is_no_document_is_left_out(
    sections: Sections, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections(driver=measured(), smoke={"format": "other"}, oom__gpu=[], notes={}, doctor={"schema": 1}, index={})
    assert "smoke" not in sections()["cards"]
    assert "left out: " in capsys.readouterr().err


def test_a_page_without_a_place_for_a_section_is_refused(made: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gpu.md has no <!-- cards"):
        made["page"]("# Nothing\n", [])


def test_a_folder_is_shown_and_the_page_stays(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reference/gpu/nvidia-h100", tmp_path / "mine")
    before = (ROOT / "docs/gpu.md").read_bytes()
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "mine"], capture_output=True, text=True, check=True)
    assert "| `mine` | NVIDIA H100 | 580.159.04 |" in done.stdout
    assert (ROOT / "docs/gpu.md").read_bytes() == before
