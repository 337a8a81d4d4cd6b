"""Hosts: processes of ours in which the kernel managers of others keep a kernel."""
