"""The server: a node and its rooms."""
