"""Task queues: offers on one side, pollers on the other; it knows nothing of workflows."""
