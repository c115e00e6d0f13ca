"""What can go wrong in a store.

StoreError
├── StoreUnavailable     a setback: nothing of the commit was written, the caller may try again later
│   └── StoreFull        the disk or a quota is full; work goes on when there is room
├── BatchExists          a refusal: history already has a batch that starts there; nothing was written
├── NamespaceNameTaken   a refusal: another namespace has the name; nothing was written
├── BadPageToken         a refusal: the token was not made by this store
└── CannotOpen           the store cannot be opened as asked; the message says why and what to do
    └── InUse            another process has it
"""


class StoreError(Exception):
    """Any failure of a store."""


class StoreUnavailable(StoreError):
    """Nothing was written; try again later."""


class StoreFull(StoreUnavailable):
    """There is no room; nothing was written; try again when there is."""


class BatchExists(StoreError):
    """History is not as the caller believes: drop what is in memory of the run and read it again."""


class NamespaceNameTaken(StoreError):
    """Another namespace has this name: refuse the request."""


class BadPageToken(StoreError):
    """The page token was not made by this store: refuse the request."""


class CannotOpen(StoreError):
    """The store cannot be opened: locked by another process, foreign, newer, unreadable. Tell the operator."""


class InUse(CannotOpen):
    """Another process has it open."""
