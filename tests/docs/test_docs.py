"""What the documents say is so."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel.kernels.faults.menu import FAULTS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCS = ROOT / "docs"
# The module of the example, which a user would have.
TRAINER = """
import json
from pathlib import Path

class Trainer:
    def __init__(self, step):
        self.step = step

def fit(steps):
    Path("checkpoint.json").write_text(json.dumps(steps))

def resume():
    return Trainer(json.loads(Path("checkpoint.json").read_text()))
"""


def _blocks(path: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


BLOCKS = {
    f"{path.stem}-{number}": block
    for path in (*(DOCS / f"{name}.md" for name in ("kernels", "faults", "what-dies-with-a-kernel")),)
    for number, block in enumerate(_blocks(path))
}


@pytest.mark.parametrize("name", ["guarantees", "modules"])
def test_generated_page_is_current(name: str) -> None:
    make: Callable[[], str] = runpy.run_path(str(DOCS / f"make_{name}.py"))["page"]
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == make(), f"run `python docs/make_{name}.py`"


# Cold kernels start at once when nobody imports TensorFlow there.
@pytest.mark.parametrize(
    ("provisioner", "imports"),
    [("subprocess", False), ("forkserver", True), pytest.param("subprocess", True, marks=pytest.mark.soak)],
)
def test_tests_in_documents_pass(inner: Inner, provisioner: str, imports: bool) -> None:
    inner.write("pytest.ini", f"[pytest]\ntfkernel_provisioner = {provisioner}\naddopts = --strict-markers -W error\n")
    inner.write("trainer.py", TRAINER)
    blocks = {name: text for name, text in BLOCKS.items() if "def test_" in text and ("tensorflow" in text) == imports}
    for name, text in blocks.items():
        inner.write(f"test_{name}.py", text)
    result = inner.run("-p", "no:xdist", "-v")
    assert set(counts(result)) == {"passed"}
    assert blocks
    assert [name for name in blocks if f"test_{name}.py::" not in result.stdout.str()] == []


# Others show that restarters do this.
@pytest.mark.soak
def test_the_test_of_a_jupyter_kernel_passes(inner: Inner) -> None:
    for module in ("jupyter_client", "ipykernel"):
        pytest.importorskip(module)
    (block,) = _blocks(DOCS / "hosts.md")
    inner.write("pytest.ini", "[pytest]\naddopts = --strict-markers\n")
    inner.write("test_hosts.py", block)
    assert counts(inner.run("-p", "no:xdist")) == {"passed": 1}


def test_the_failure_that_the_readme_shows_is_the_one_of_its_test(inner: Inner) -> None:
    test, shown = re.findall(r"^```(?:python|text)\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)[
        :2
    ]
    inner.write("pytest.ini", "[pytest]\ntfkernel_provisioner = subprocess\n")
    inner.write("test_restart.py", test)
    result = inner.run("-p", "no:xdist")
    assert counts(result) == {"failed": 1}
    # How a kernel is made, and when it dies, is another thing here.
    seen = {_alike(line) for line in result.outlines}
    assert [line for line in shown.splitlines() if line and _alike(line) not in seen] == []


def _alike(line: str) -> str:
    return re.sub(r"\d+|-{3,}|subprocess|forkserver", "", line).strip()


@pytest.mark.parametrize("block", [name for name, text in BLOCKS.items() if "def test_" not in text])
def test_script_in_a_document_runs(tmp_path: Path, block: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(BLOCKS[block], encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_every_fault_is_documented() -> None:
    text = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    assert [fault.name for fault in FAULTS if f"`{fault.name}`" not in text] == []


def test_every_wing_stands_in_the_architecture() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    wings = [path.parent.name for path in (ROOT / "pytest_tfkernel").glob("*/__init__.py")]
    assert [wing for wing in wings if f"| `{wing}/` |" not in text] == []


def test_files_that_contributors_are_sent_to_exist() -> None:
    named = re.findall(
        r"`((?:pytest_tfkernel|tests|docs|changelog\.d)/[^`]*)`", CONTRIBUTING.read_text(encoding="utf-8")
    )
    assert [
        one for one in named if not any(word in one for word in ("NAME", "NUMBER")) and not (ROOT / one).exists()
    ] == []


@pytest.mark.parametrize("document", [README, CONTRIBUTING, *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", document.read_text(encoding="utf-8"))
    targets = [(document.parent / path if path else document, place) for path, place in links]
    assert [target for target, _ in targets if not target.exists()] == []
    assert [f"{target.name}#{place}" for target, place in targets if place and place not in _places(target)] == []


@cache
def _places(document: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
