"""The deterministic runtime of one workflow: history in, commands out, no I/O."""
