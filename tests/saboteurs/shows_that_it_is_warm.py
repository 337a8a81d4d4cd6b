"""Makes files that anyone may write, but only when it was forked."""

import os
import sys

if sys.argv[-1] == "forkserver":
    os.umask(0)
