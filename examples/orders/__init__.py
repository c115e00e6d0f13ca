"""A shop's orders, worked off by workflows in a process that is killed: the project's main example."""
