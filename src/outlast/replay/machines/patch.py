"""Patches: a marker says that a run took the new branch of its code, and a search attribute lists such markers.

| history has       | code says         | outcome                                      |
| ----------------- | ----------------- | -------------------------------------------- |
| (not replaying)   | `patched`         | marker; true                                 |
| a marker          | `patched`         | true                                         |
| no marker         | `patched`         | false                                        |
| a marker          | nothing           | non-determinism, unless marked as deprecated |
| anything          | `deprecate_patch` | allowed; a marker if not replaying           |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from outlast.replay import kinds, markers
from outlast.replay.flags import UPSERT_ON_PATCH
from outlast.replay.machines.machine import Machine, Mismatch, Plain
from outlast.replay.wire import make_command

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.sdk.v1 import EventGroupMarker

    from outlast.replay.ledger import Ledger

VERSION_ATTRIBUTE: Final = "TemporalChangeVersion"
"""The search attribute that lists the patches of a run."""
VERSION_BYTES_MAX: Final = 2048
"""What a server takes as the value of a search attribute."""


class Patch(Machine):
    """The marker of one patch."""

    __slots__ = ("patch_id",)

    def __init__(self, ledger: Ledger, patch_id: str, command: Command | None) -> None:
        super().__init__(ledger)
        self.patch_id = patch_id
        ledger.ask(kinds.MARKER_RECORDED, self, command)

    def recorded(self, event: HistoryEvent) -> None:
        found = markers.read_patch(event)
        if found is None or found[0] != self.patch_id:
            marked = "another kind of marker" if found is None else f"patch {found[0]!r}"
            raise Mismatch(f"history has {marked}, the code asks for patch {self.patch_id!r}")

    def describe(self) -> str:
        return f"patch {self.patch_id!r}"


def mark(ledger: Ledger, patch_id: str, *, deprecated: bool, event_groups: Sequence[EventGroupMarker]) -> None:
    """Write the marker, once for each run, and list it in the search attribute."""
    in_history = patch_id in ledger.patch_markers
    if ledger.patch_markers.get(patch_id):
        return
    listed = sorted({patch_id, *(other for other, made in ledger.patch_markers.items() if made)})
    ledger.patch_markers[patch_id] = True
    command = None
    if not ledger.replaying:
        details = markers.patch_details(patch_id, deprecated=deprecated)
        attributes = {"marker_name": markers.PATCH, "details": details}
        command = make_command(9, "record_marker_command_attributes", attributes, None, event_groups)
    Patch(ledger, patch_id, command)
    if (in_history or not ledger.replaying) and ledger.flags.core_allows(UPSERT_ON_PATCH, replaying=ledger.replaying):
        _list(ledger, listed)


def _list(ledger: Ledger, patch_ids: list[str]) -> None:
    value = markers.json_payload(patch_ids)
    if len(value.data) >= VERSION_BYTES_MAX:
        return
    value.metadata["type"] = b"KeywordList"
    command = None
    if not ledger.replaying:
        attributes = {"search_attributes": {"indexed_fields": {VERSION_ATTRIBUTE: value}}}
        command = make_command(13, "upsert_workflow_search_attributes_command_attributes", attributes)
    ledger.ask(kinds.SEARCH_ATTRIBUTES_UPSERTED, Plain(ledger, "list of patches as a search attribute"), command)
