"""One command for the owner of a machine with a GPU: everything that can be measured there, in a folder."""
