"""What runs in those processes: a session of pytest that is stopped where others are forked from it."""
