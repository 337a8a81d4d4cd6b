"""`python -u FOLDER ROLE [ARGUMENT ...]`: become a supervisor, a fork server or a kernel.

The folder leaves `sys.path` before anything else is imported, and its modules live under a private
package name: `import kernel` in a cell must find the user's module, not ours.
"""

import sys

_FOLDER = sys.path.pop(0)


def _load(role):
    import importlib
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "_tfkernel_child", _FOLDER + "/__init__.py", submodule_search_locations=[_FOLDER]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["_tfkernel_child"] = package
    spec.loader.exec_module(package)
    return importlib.import_module("_tfkernel_child." + role)


_load(sys.argv[1]).main(sys.argv[2:])
