"""The gate's engine: whose everything is that appears while tests run, and what of it is left. It knows no pytest."""
