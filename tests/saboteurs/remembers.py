"""Knows in its next life what it was told in this one."""

import os

import __main__

_MARK = os.path.join(os.environ["SABOTEUR_FOLDER"], "lived")

if os.path.exists(_MARK):
    vars(__main__)["_tfkernel_mine"] = 2.0
open(_MARK, "w").close()
