"""A shop's orders, worked off by workflows while server and worker are killed: the project's main example."""
