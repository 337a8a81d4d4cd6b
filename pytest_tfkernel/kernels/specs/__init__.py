"""What may be launched: specs, the interpreters that they name, and the kernel specs of Jupyter."""
