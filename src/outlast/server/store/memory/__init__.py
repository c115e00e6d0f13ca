"""A store that forgets everything with its process: for play, and for tests."""

from outlast.server.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
