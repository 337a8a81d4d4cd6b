"""What must hold: examples, the trials that injure them, and the guarantees that judge."""
