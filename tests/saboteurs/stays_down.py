"""Has had enough after six lives: its seventh ends before it begins."""

import os

_LIVES = os.path.join(os.environ["SABOTEUR_FOLDER"], "lives")

with open(_LIVES, "a") as file:
    file.write("+")
if os.path.getsize(_LIVES) > 6:
    os._exit(1)
