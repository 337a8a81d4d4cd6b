"""Which threads came with the import of which module."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from pytest_tfkernel._child.imports import Thread, ThreadsOfImports


class Threads:
    """Those that modules of this test start; a module calls `begin`."""

    def __init__(self) -> None:
        self.now: set[Thread] = {("1", "main")}

    def begin(self, name: str) -> None:
        self.now.add((str(len(self.now) + 1), name))

    def __call__(self) -> frozenset[Thread]:
        return frozenset(self.now)


@pytest.fixture
def threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Threads:
    threads = Threads()
    for name, text in {
        "tfk_outer": "import sys\nsys.tfk_begin('outer')\nimport tfk_inner\nsys.tfk_begin('outer again')",
        "tfk_inner": "import sys\nsys.tfk_begin('inner')",
        "tfk_fails": "import sys\nsys.tfk_begin('fails')\nraise ImportError('no')",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "tfk_begin", threads.begin, raising=False)
    return threads


def names(found: ThreadsOfImports) -> set[str]:
    return {name for _, name in found.threads}


def test_only_those_of_the_modules_that_were_named(threads: Threads) -> None:
    with ThreadsOfImports(["tfk_inner"], threads) as found:
        importlib.import_module("tfk_outer")
    assert names(found) == {"inner"}
    for name in ("tfk_outer", "tfk_inner"):
        del sys.modules[name]


def test_what_a_module_imports_counts_as_its_own(threads: Threads) -> None:
    with ThreadsOfImports(["tfk_outer"], threads) as found:
        importlib.import_module("tfk_outer")
    assert names(found) == {"outer", "inner", "outer again"}
    for name in ("tfk_outer", "tfk_inner"):
        del sys.modules[name]


def test_an_import_that_fails_and_a_module_that_is_missing_fail_as_ever(threads: Threads) -> None:
    with ThreadsOfImports(["tfk_fails", "tfk_nowhere"], threads) as found:
        with pytest.raises(ImportError, match="^no$"):
            importlib.import_module("tfk_fails")
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("tfk_nowhere")
    assert found not in sys.meta_path
