"""Run documents of a session: what is written into them, and when."""
