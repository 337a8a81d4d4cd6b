"""What must hold: the trials of each size, the scenarios, and the guarantees that judge."""
