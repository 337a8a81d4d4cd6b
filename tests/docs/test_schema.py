"""The published JSON Schema of run documents."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import jsonschema
import msgspec
import pytest

import documents

DOCS = Path(__file__).parents[2] / "docs"


def test_is_current() -> None:
    made = runpy.run_path(str(DOCS / "make_schema.py"))
    assert (DOCS / "run-document.schema.json").read_text(encoding="utf-8") == made["text"]()


def test_takes_a_document_and_refuses_another() -> None:
    schema = json.loads((DOCS / "run-document.schema.json").read_text(encoding="utf-8"))
    run = json.loads(msgspec.json.encode(documents.document()))
    jsonschema.validate(run, schema)
    for broken in ({**run, "trials": 3}, {**run, "schema": "1"}, {"format": "other"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_each_field_of_a_part_is_documented() -> None:
    text = (DOCS / "run-document.md").read_text(encoding="utf-8")
    schema = json.loads((DOCS / "run-document.schema.json").read_text(encoding="utf-8"))
    named = ("Document", "Trial", "Verdict", "Test", "End", "Death", "Key")
    fields = {field for name in named for field in schema["$defs"][name]["properties"] if field != "part"}
    assert sorted(field for field in fields if f"`{field}`" not in text) == []
