"""The main module of a host of `multiprocess`, as the processes that it starts for the host import it.

A spawned process and a child of the fork server import it as they do a user's script, as `__mp_main__`; the fork
server preloads it, by `PYTHONPATH`. It ties each of them to its parent, lets them find our modules, and keeps a
kernel's descriptors free in the fork server: whatever else stood there would be lost in its children.
"""

import importlib
import os
import sys
import types

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = "_tfkernel_child"
# Of a kernel: see there.
_HIGHEST = 4


def _prepare() -> None:
    sys.path[:] = [folder for folder in sys.path if folder != _FOLDER]
    if _PACKAGE not in sys.modules:
        sys.modules[_PACKAGE] = types.ModuleType(_PACKAGE)
        sys.modules[_PACKAGE].__dict__["__path__"] = [_FOLDER]
    importlib.import_module(_PACKAGE + ".process").die_with_parent(os.getppid())
    importlib.import_module(_PACKAGE + ".streams").settle()
    descriptor = os.open(os.devnull, os.O_RDONLY)
    while descriptor <= _HIGHEST:
        descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)


# Not where somebody imports it to look at it.
if "." not in __name__:
    _prepare()
