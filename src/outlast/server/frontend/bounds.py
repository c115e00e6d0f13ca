"""What operators may set of a server's bounds: the reference server's dynamic configuration, as far as it is read here."""

from collections.abc import Mapping

import msgspec

from outlast.engine.limits import BLOB_BYTES_MAX, SUGGEST_CONTINUE_AS_NEW_EVENTS

EVENTS_SUGGESTED = "limit.historyCount.suggestContinueAsNew"
BLOB_ERROR = "limit.blobSize.error"
BLOB_WARN = "limit.blobSize.warn"


class Bounds(msgspec.Struct, frozen=True):
    """The defaults are the reference server's."""

    events_suggested: int = SUGGEST_CONTINUE_AS_NEW_EVENTS
    """A history this long suggests to continue as new."""
    blob_bytes_error: int = BLOB_BYTES_MAX
    """What clients are told that a payload may have."""
    blob_bytes_warn: int = 512 * 1024

    @property
    def blob_bytes_max(self) -> int:
        """What a payload may have: the reference server looks at the error limit only past the warning one."""
        return max(self.blob_bytes_error, self.blob_bytes_warn)


def bounds(dynamic_config: Mapping[str, str]) -> Bounds:
    """Read them. Raises ValueError."""
    given = {"events_suggested": EVENTS_SUGGESTED, "blob_bytes_error": BLOB_ERROR, "blob_bytes_warn": BLOB_WARN}
    return Bounds(**{field: int(dynamic_config[switch]) for field, switch in given.items() if switch in dynamic_config})
