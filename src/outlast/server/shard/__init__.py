"""Owns entities: the only room that changes them. Load, decide, commit; then let others know."""
