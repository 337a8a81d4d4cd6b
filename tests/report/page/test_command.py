"""`python -m pytest_tfkernel page`, without the process."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

import documents
from pytest_tfkernel.report.page import command
from pytest_tfkernel.report.store import encode


def page(*words: str | Path) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args(list(map(str, words))))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A document on disk."""
    path = tmp_path / "run.json"
    path.write_bytes(encode(documents.document()))
    return path


def test_page_stands_beside_its_document(run: Path) -> None:
    written = run.with_suffix(".html")
    assert page(run) == (0, f"{written}\n", "")
    assert "All 12 verdicts are PASS" in written.read_text(encoding="utf-8")
    assert sorted(path.name for path in run.parent.iterdir()) == ["run.html", "run.json"]


def test_page_stands_where_it_is_asked_for(run: Path, tmp_path: Path) -> None:
    assert page(run, tmp_path / "other.html")[0] == 0
    assert (tmp_path / "other.html").exists()


def test_ref_is_compared(run: Path, tmp_path: Path) -> None:
    ref = tmp_path / "ref.json"
    ref.write_bytes(encode(documents.document(tensorflow="2.20.0")))
    assert page(run, "--ref", ref)[0] == 0
    assert "Compared with the ref" in run.with_suffix(".html").read_text(encoding="utf-8")


def test_documents_are_not_written_over(run: Path, tmp_path: Path) -> None:
    before = run.read_bytes()
    assert page(run, run) == (2, "", f"page: {run} is a run document: name another file for the page\n")
    link = tmp_path / "link.html"
    link.symlink_to(run)
    assert page(run, link)[0] == 2
    assert run.read_bytes() == before


def test_missing_document_is_one_line(tmp_path: Path) -> None:
    code, out, err = page(tmp_path / "none.json")
    assert (code, out) == (2, "")
    assert err == f"page: {tmp_path / 'none.json'} doesn't exist\n"


@pytest.mark.parametrize("name", [".", "..", "/", ""])
def test_folder_is_no_page(run: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.parent)
    code, _, said = page(run, name)
    assert (code, said) == (2, f"page: {name or '.'} is a folder: name a file\n")


def test_place_that_cannot_be_written_is_one_line(run: Path, tmp_path: Path) -> None:
    place = tmp_path / "none" / "run.html"
    code, _, err = page(run, place)
    assert (code, err) == (
        2,
        f"page: {place} can't be written: there is no such folder; make it, or name another one\n",
    )


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_missing_library_is_one_line(run: Path, module: str) -> None:
    script = f"""
import argparse, sys
sys.modules[{module!r}] = None
from pytest_tfkernel.report.page import command
parser = argparse.ArgumentParser()
command.declare(parser)
print(command.run(parser.parse_args([{str(run)!r}])))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = (2, "", f"page: {module} is missing: pip install 'pytest-tfkernel[html]'\n")
    assert done.stdout == f"{expected!r}\n"
    assert not run.with_suffix(".html").exists()
