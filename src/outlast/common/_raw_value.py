"""A payload that is handed on as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import temporalio.api.common.v1


@dataclass(frozen=True)
class RawValue:
    """A payload that is not converted: as a parameter or a result it passes through. Codecs still apply to it."""

    payload: temporalio.api.common.v1.Payload

    def __getstate__(self) -> object:
        """A version and the bytes of the message, for pickle."""
        return b"1" + self.payload.SerializeToString()

    def __setstate__(self, state: object) -> None:
        """Restore from what `__getstate__` gave.

        Raises:
            TypeError: The state is no bytes.
            ValueError: The state has another version.
        """
        from temporalio.api.common.v1 import Payload

        if not isinstance(state, bytes):
            raise TypeError(f"Expected bytes state, got {type(state)}")
        if state[:1] != b"1":
            raise ValueError("Bad version prefix")
        object.__setattr__(self, "payload", Payload.FromString(state[1:]))
