"""Shows no stack when IPython runs it."""

import faulthandler

if "get_ipython" in globals():
    faulthandler.disable()
