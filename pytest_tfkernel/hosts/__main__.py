"""`python -u FOLDER NAME`: become a host. It runs under pytest's own Python, with what is installed there.

The folder leaves `sys.path`: a module of ours must not stand for one of the same name. The package is found where
this file is, also when it isn't installed.
"""

import sys
from pathlib import Path

_FOLDER = Path(sys.path.pop(0))
sys.path.append(str(_FOLDER.parent.parent))

if __name__ == "__main__":
    import importlib

    importlib.import_module(f"pytest_tfkernel.hosts.{sys.argv[1]}").main()
