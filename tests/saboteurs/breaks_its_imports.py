"""Can't import TensorFlow a second time."""

import builtins

_import = builtins.__import__
_tries = []


def _once(name, *args, **kwargs):
    if name == "tensorflow":
        _tries.append(name)
        if len(_tries) > 1:
            raise ImportError("once was enough")
    return _import(name, *args, **kwargs)


builtins.__import__ = _once
