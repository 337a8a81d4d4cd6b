"""Functions that are sent by cloudpickle."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from pytest_tfkernel._child import calls

FOLDER = str(Path(cloudpickle.__file__).parent)


def request(function: Any, *arguments: Any, **keywords: Any) -> dict[str, str]:
    payload = base64.b64encode(cloudpickle.dumps((function, arguments, keywords))).decode()
    return {"payload": payload, "cloudpickle": FOLDER}


def test_the_result_comes_back_as_a_pickle() -> None:
    answer = calls.run(request(lambda a, *, b: [a, b], 1, b=2))
    assert cloudpickle.loads(base64.b64decode(answer["pickled"])) == [1, 2]


def test_an_error_is_raised_where_it_is_run() -> None:
    with pytest.raises(ZeroDivisionError):
        calls.run(request(lambda: 1 / 0))


def test_a_result_that_does_not_fit_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_FRAME", 2000)
    with pytest.raises(
        ValueError, match=r"^its result is \d+ bytes: return less, or the name of a file that holds it$"
    ):
        calls.run(request(lambda: "x" * 2000))


def test_pytests_own_is_loaded_where_the_kernel_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # An older one that is installed there isn't taken.
    monkeypatch.delitem(sys.modules, "cloudpickle")
    (tmp_path / "cloudpickle.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = calls._cloudpickle(FOLDER)
    assert (loaded.__file__, sys.modules["cloudpickle"]) == (cloudpickle.__file__, loaded)
    # And then that one is.
    assert calls._cloudpickle("/nonexistent") is loaded
    for name in [one for one in sys.modules if one.startswith("cloudpickle.")]:
        monkeypatch.delitem(sys.modules, name)
