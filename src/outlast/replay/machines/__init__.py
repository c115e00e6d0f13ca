"""What workflow code can ask for, a module each: its state, its commands, and the events that move it."""
