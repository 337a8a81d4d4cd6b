"""Survives an error in a cell, but its open session doesn't."""

import traceback

import __main__

_format = traceback.format_exception


def _closing(*args, **kwargs):
    __main__.session.close()
    return _format(*args, **kwargs)


traceback.format_exception = _closing
