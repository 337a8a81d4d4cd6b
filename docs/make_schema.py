"""`python docs/make_schema.py` writes docs/run-document.schema.json from the types of the document."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_tfkernel.report.document import json_schema

FILE = Path(__file__).parent / "run-document.schema.json"


def text() -> str:
    """The whole file."""
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
