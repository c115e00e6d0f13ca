"""Heart one: commands become events. Pure functions over values; no clock, no I/O, no randomness."""
