"""How a trial is played: one setting, from a new kernel to its successor, and the audit between."""
