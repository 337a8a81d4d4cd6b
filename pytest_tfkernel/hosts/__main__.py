"""`python -I -u FOLDER NAME`: become a host. It runs under pytest's own Python, with what is installed there.

The folder leaves `sys.path`: a module of ours must not stand for one of the same name. Where pytest finds modules
beside that is asked last (see `processes/isolation.py`), and the package is found where this file is, also when it
isn't installed.
"""

import sys

_FOLDER = sys.path.pop(0)

if __name__ == "__main__":
    import importlib
    import json
    import os
    from pathlib import Path

    told = json.loads(os.environ.pop("PYTEST_TFKERNEL_SEARCH_PATH", "[]"))
    sys.path.extend(folder for folder in (*told, str(Path(_FOLDER).parent.parent)) if folder not in sys.path)
    importlib.import_module(f"pytest_tfkernel.hosts.{sys.argv[1]}").main()
