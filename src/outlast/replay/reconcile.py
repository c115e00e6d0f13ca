"""Is this still the same program? Each event that mirrors a command must be answered by what the code asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlast.replay import kinds, markers
from outlast.replay.machines.machine import Mismatch
from outlast.replay.machines.patch import VERSION_ATTRIBUTE, Patch
from outlast.workflow import NondeterminismError

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.ledger import Asked, Ledger


def answer(ledger: Ledger, event: HistoryEvent, following: HistoryEvent | None) -> bool:
    """Match the event with the command that waits for it. True if the event after it is to be skipped.

    Raises:
        NondeterminismError: The code did not ask for what history has.
    """
    if markers.is_local_activity(event) and _take_as_news(ledger, event):
        return False
    found = markers.read_patch(event)
    while True:
        asked = ledger.next_asked()
        if found is not None:
            patch_id, deprecated = found
            if deprecated and not (asked is not None and isinstance(asked.machine, Patch) and asked.machine.patch_id == patch_id):
                return _lists_patches(following)
        elif asked is not None and isinstance(asked.machine, Patch):
            # Asked for, but not in history: a `deprecate_patch` that came later.
            ledger.answered()
            continue
        break
    if asked is None or asked.event_kind != event.event_type:
        raise difference(event, asked)
    try:
        asked.machine.recorded(event)
    except Mismatch as err:
        raise difference(event, asked, str(err)) from None
    ledger.answered()
    return False


def _take_as_news(ledger: Ledger, event: HistoryEvent) -> bool:
    """The marker of a local activity that is not run again carries its result, wherever it stands among the commands."""
    mark = markers.read_local_activity(event.marker_recorded_event_attributes)
    activity = ledger.local_activities.by_seq.get(mark.seq)
    if activity is None:
        raise difference(event, ledger.next_asked(), "the code never asked for this local activity")
    if not activity.awaits_marker:
        return False
    try:
        activity.recorded(event)
    except Mismatch as err:
        raise difference(event, None, str(err)) from None
    return True


def _lists_patches(event: HistoryEvent | None) -> bool:
    if event is None or event.event_type != kinds.SEARCH_ATTRIBUTES_UPSERTED:
        return False
    return VERSION_ATTRIBUTE in event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields


def difference(event: HistoryEvent, asked: Asked | None, detail: str = "") -> NondeterminismError:
    """The error that shows both sides, and where in the code the command comes from."""
    lines = [
        f"[TMPRL1100] The workflow's code does not do what its history says: {detail or 'another command was expected'}.",
        f"  history:  event {event.event_id}: {kinds.event_name(event.event_type)} {_essence(event)}".rstrip(),
    ]
    if asked is None:
        lines.append("  the code: asks for nothing here")
    else:
        lines.append(f"  the code: {kinds.event_name(asked.event_kind)} wanted: {asked.machine.describe()}")
        if asked.where:
            lines.append(f"  asked at: {asked.where}")
    lines.append("Change the code back, or guard the change with workflow.patched().")
    return NondeterminismError("\n".join(lines))


def _essence(event: HistoryEvent) -> str:
    """What tells one event of a kind from another."""
    attributes = kinds.attributes_of(event)
    known = attributes.DESCRIPTOR.fields_by_name
    parts = [repr(getattr(attributes, field).name) for field in ("activity_type", "workflow_type") if field in known]
    names = ("marker_name", "timer_id", "activity_id", "workflow_id", "signal_name")
    parts += [f"{field} {getattr(attributes, field)!r}" for field in names if field in known]
    if (patch := markers.read_patch(event)) is not None:
        parts.append(f"patch {patch[0]!r}")
    return " ".join(parts)
