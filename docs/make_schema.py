"""`python docs/make_schema.py` writes docs/run-document.schema.json from the types of the document."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from pytest_tfkernel.report.document import json_schema

FILE = Path(__file__).parent / "run-document.schema.json"


def text() -> str:
    """The whole file."""
    return json.dumps(_dedented(json_schema()), indent=1, sort_keys=True) + "\n"


def _dedented(part: Any) -> Any:
    """The same with descriptions as people write them: versions of msgspec differ in how they indent a docstring."""
    if isinstance(part, dict):
        return {
            name: inspect.cleandoc(one) if name == "description" and isinstance(one, str) else _dedented(one)
            for name, one in part.items()
        }
    return [_dedented(one) for one in part] if isinstance(part, list) else part


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
