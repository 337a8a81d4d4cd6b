"""`python -u FOLDER ROLE [ARGUMENT ...]`: become a supervisor, a fork server or a kernel.

The folder leaves `sys.path` before anything else is imported, and its modules live under a private
package name: `import kernel` in a cell must find the user's module, not ours.
"""

import sys

_FOLDER = sys.path.pop(0)

# Only now: none of our modules can stand for one of the standard library.
import importlib  # noqa: E402 - see above
import types  # noqa: E402 - see above

_package = types.ModuleType("_tfkernel_child")
_package.__path__ = [_FOLDER]
sys.modules[_package.__name__] = _package
importlib.import_module(_package.__name__ + ".streams").settle()
importlib.import_module(_package.__name__ + "." + sys.argv[1]).main(sys.argv[2:])
