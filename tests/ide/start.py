"""`python start.py FOLDER ARGUMENTS...`: the command `spyder`, with one more folder to look for plugins in.

Spyder takes what stands in PYTHONPATH off its path, and a plugin that is only for a test should not be
installed. What would ask or use the network at the first start is switched off; nothing else is.
"""

# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import sys

sys.path.append(sys.argv.pop(1))

# Reads the command line, and with it where the settings are.
from spyder.app import start
from spyder.config.manager import CONF

CONF.set("tours", "show_tour_message", False)
CONF.set("update_manager", "check_updates_on_startup", False)
# Nobody manages windows here: the test gives this one its size.
CONF.set("main", "window/is_maximized", False)
start.main()
