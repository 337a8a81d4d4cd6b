"""What a death means: whoever sent a signal, whom the OOM killer took, and what is left to ask."""
