"""One module for each thing that a run can have pending: its state, its rules, its folding."""
