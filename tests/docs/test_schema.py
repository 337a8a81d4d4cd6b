"""The published JSON Schema of run documents."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import documents
from pytest_tfkernel.report import document

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs/run-document.schema.json").read_text(encoding="utf-8")
)
# What of a schema refuses nothing.
SILENT = ("title", "description", "default", "examples", "$comment", "$schema", "$id")


def meaning(schema: Any, definitions: Any = None) -> Any:
    """What a schema accepts and refuses, however a version of msgspec words it."""
    if isinstance(schema, list):
        return [meaning(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    definitions = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        return meaning(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    found = {name: one for name, one in schema.items() if name not in (*SILENT, "$defs")}
    if isinstance(found.get("type"), list):
        return meaning({"anyOf": [{**found, "type": one} for one in found["type"]]}, definitions)
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "properties" in found:
        # A name of a field is no word of a schema.
        found["properties"] = {name: meaning(one, definitions) for name, one in found["properties"].items()}
    found = {name: one if name == "properties" else meaning(one, definitions) for name, one in found.items()}
    for unordered in ("anyOf", "oneOf", "enum", "required", "type"):
        if isinstance(found.get(unordered), list):
            found[unordered] = sorted(found[unordered], key=lambda one: json.dumps(one, sort_keys=True))
    if not found.get("required", True):
        del found["required"]
    return found


def test_is_current() -> None:
    assert meaning(SCHEMA) == meaning(document.json_schema()), "run `python docs/make_schema.py`"


def test_describes_parts_as_the_code_does() -> None:
    shown = {name: one.get("description", "").split() for name, one in SCHEMA["$defs"].items()}
    assert shown == {name: (inspect.getdoc(getattr(document, name)) or "").split() for name in shown}


@pytest.mark.parametrize(
    "reword",
    [
        lambda trial: trial.update(description="Other words.", title="Trial"),
        lambda trial: trial["required"].reverse(),
        lambda trial: trial["properties"]["death"]["anyOf"].reverse(),
        lambda trial: trial["properties"].update(error_type={"type": ["null", "string"]}),
        lambda trial: trial["properties"].update(part={"const": "trial"}),
    ],
    ids=["description", "required", "any-of", "types", "const"],
)
def test_other_words_for_the_same_are_the_same(reword: Callable[[Any], object]) -> None:
    other = json.loads(json.dumps(SCHEMA))
    reword(other["$defs"]["Trial"])
    assert other != SCHEMA
    assert meaning(other) == meaning(SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        lambda trial: trial["properties"].pop("leaks"),
        lambda trial: trial["properties"].update(title={"type": "string"}),
        lambda trial: trial["properties"].update(seconds={"type": "string"}),
        lambda trial: trial["properties"]["death"]["anyOf"].pop(),
        lambda trial: trial["required"].remove("seconds"),
        lambda trial: trial["properties"]["part"].update(enum=["try"]),
        lambda trial: trial["properties"]["leaks"]["items"].update({"$ref": "#/$defs/Moment"}),
    ],
    ids=["gone", "new", "type", "null", "optional", "word", "items"],
)
def test_what_accepts_other_documents_is_another(change: Callable[[Any], object]) -> None:
    other = json.loads(json.dumps(SCHEMA))
    change(other["$defs"]["Trial"])
    assert meaning(other) != meaning(SCHEMA)


def test_takes_a_document_and_refuses_another() -> None:
    run = json.loads(msgspec.json.encode(documents.document()))
    jsonschema.validate(run, SCHEMA)
    for broken in ({**run, "trials": 3}, {**run, "schema": "1"}, {"format": "other"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def test_each_field_of_a_part_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/run-document.md").read_text(encoding="utf-8")
    named = ("Document", "Trial", "Verdict", "Test", "End", "Death", "Setting", "Leak", "Moment")
    fields = {field for name in named for field in SCHEMA["$defs"][name]["properties"] if field != "part"}
    assert sorted(field for field in fields if f"`{field}`" not in text) == []
