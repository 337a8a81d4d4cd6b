"""Where a process of ours looks for modules: in the standard library first, then where its parent looks.

It is started with `python -I -S`, so that PYTHONPATH, the working folder and what is installed can replace nothing of
the standard library, and no `sitecustomize` runs.
"""

import json
import os
import sys

VARIABLE = "PYTEST_TFKERNEL_SEARCH_PATH"


def look_where_told() -> None:
    """Add the folders of the environment variable, a list in JSON, behind those that are there."""
    told = json.loads(os.environ.pop(VARIABLE, "[]"))
    sys.path.extend(folder for folder in told if folder not in sys.path)
