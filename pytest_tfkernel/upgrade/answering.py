"""The end of an upgrade: the comparison, its page, its summary on GitHub, and both documents."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pytest_tfkernel.report import files
from pytest_tfkernel.report.compare import markdown
from pytest_tfkernel.report.compare.comparison import Comparison, compare
from pytest_tfkernel.report.compare.expectations import Expectations
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.compare.thresholds import Thresholds
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import check_place, encode
from pytest_tfkernel.upgrade.errors import UpgradeError

_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True)
class Rules:
    """By which two documents are compared, and the page to write, if any; read and checked before anything is run."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    expectations: Expectations = field(default_factory=Expectations)
    page: Path | None = None

    @classmethod
    def of(cls, fail_on: Sequence[str], expect: str | None, page_path: Path | None) -> Rules:
        """Those of the options. Raises CompareError, DocumentError or UpgradeError."""
        thresholds = Thresholds.of(fail_on)
        expectations = Expectations() if expect is None else Expectations.load(Path(expect))
        if page_path is not None:
            missing = [name for name in ("jinja2", "matplotlib") if importlib.util.find_spec(name) is None]
            if missing:
                raise UpgradeError(f"a page needs {' and '.join(missing)}: pip install 'pytest-tfkernel[html]'")
            if page_path.suffix != ".html":
                raise UpgradeError(f"usage error: --page={page_path}: give a name that ends in .html")
            check_place(page_path)
        return cls(thresholds, expectations, page_path)


def write(path: Path, document: Document) -> None:
    """Put a document in its place. Raises UpgradeError."""
    try:
        files.write(path, msgspec.json.format(encode(document), indent=1).decode() + "\n")
    except OSError as error:
        raise UpgradeError(f"{path} can't be written: {error.strerror}; make room, or name another folder") from None


def answer(rules: Rules, ref: Side, changed: Side) -> Comparison:
    """Compare, and write what is asked for beside the answer. Raises CompareError or UpgradeError."""
    found = compare(ref, changed, rules.thresholds, rules.expectations)
    if rules.page is not None:
        from pytest_tfkernel.report.page.render import render

        try:
            files.write(rules.page, render(changed.document, found))
        except OSError as error:
            raise UpgradeError(f"{rules.page} can't be written: {error.strerror}") from None
    return found


def summarize(found: Comparison, path: str | None = None) -> str:
    """Append the comparison to the summary of a job on GitHub, if there is one; why that can't be, in words."""
    path = os.environ.get(_SUMMARY) if path is None else path
    if not path:
        return ""
    try:
        with Path(path).open("ab") as file:
            file.write(markdown.markdown(found).encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        return f"no summary for GitHub: {path} can't be written: {getattr(error, 'strerror', None) or error}"
    return ""
