from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

import documents
from pytest_tfkernel.report.compare.as_json import as_json
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.expectations import Expectation

Compare = Callable[..., Comparison]

REF = documents.document(count=3, tensorflow="2.20.0", tests=1)
NEW = documents.document(count=3, tensorflow="2.21.0", tests=1)


def test_it_says_all_that_the_text_says(compared: Compare) -> None:
    changed = documents.with_verdict(NEW, 0, verdict="FAIL", reason="it lives")
    changed = msgspec.structs.replace(changed, complete=False, end=None)
    known = [Expectation(reason="never", change="fixed", guarantee="*")]
    found = compared(REF, changed, known=known)
    read = json.loads(as_json(found))
    figures = read.pop("figures")
    assert read == {
        "format": "pytest-tfkernel comparison",
        "schema": 1,
        "exit": 1,
        "answer": found.answer,
        "ref": {
            "name": "ref.json",
            "kernel": None,
            "began": "2026-01-01T00:00:00Z",
            "complete": True,
            "trials": 3,
            "verdicts": 6,
            "tests": 1,
        },
        "changed": {
            "name": "changed.json",
            "kernel": None,
            "began": "2026-01-01T00:00:00Z",
            "complete": False,
            "trials": 3,
            "verdicts": 6,
            "tests": 1,
        },
        "shortfalls": ["changed.json is incomplete: its run was cut short, and what it didn't run is unknown"],
        "asked_for_other": None,
        "advice": None,
        "surroundings": ["TensorFlow of the kernels: 2.20.0 -> 2.21.0"],
        "differences": [
            {
                "change": "lost",
                "regression": True,
                "expected": None,
                "about": "guarantee",
                "name": "process-is-new",
                "trial": "forkserver-graph_add-fault0-idle",
                "kernel": None,
                "before": "PASS",
                "after": "FAIL: it lives",
                "percent": None,
            }
        ],
        "unseen": [{"reason": "never", "change": "fixed", "guarantee": "*"}],
    }
    assert figures[0] == {
        "kernel": None,
        "group": "forkserver",
        "name": "whole trial",
        "unit": "s",
        "ref": {"median": 0.4, "deviation": 0.0, "count": 3},
        "changed": {"median": 0.4, "deviation": 0.0, "count": 3},
        "percent": 0.0,
        "beyond_spread": False,
    }


def test_it_cuts_nothing(compared: Compare) -> None:
    ref, changed = documents.document(tests=500), documents.document(tests=500)
    changed = msgspec.structs.replace(
        changed, tests=[msgspec.structs.replace(one, outcome="failed") for one in changed.tests]
    )
    changed = documents.with_test(changed, 0, error_message="x" * 5000)
    read = json.loads(as_json(compared(ref, changed)))
    assert len(read["differences"]) == 500
    assert {len(one["after"]) for one in read["differences"]} == {len("failed"), len("failed: ") + 5000}


def test_odd_texts_are_valid_json(compared: Compare) -> None:
    changed = documents.with_test(NEW, 0, outcome="failed", error_message="\ud800\x00<\u2028")
    read = json.loads(as_json(compared(REF, changed)).encode("utf-8"))
    assert read["differences"][0]["after"] == "failed: \\ud800\x00<\u2028"
