"""Event groups: which commands bear which markers."""

import asyncio
import contextvars
import logging

import pytest
from temporalio.api.sdk.v1 import EventGroupMarker

from outlast import workflow
from outlast.converter import PayloadConverter
from outlast.workflow._event_groups import _capture_event_group_markers, _inbound_event_group, _inbound_update_event_group
from tests.workflow.recording import in_workflow


def _marker(id: str) -> EventGroupMarker:
    return EventGroupMarker(label=EventGroupMarker.Label(id=id))


def _ids(markers: list[EventGroupMarker]) -> list[str]:
    return [marker.label.id or str(marker.inbound_event.inbound_event_id) for marker in markers]


async def test_a_command_bears_the_groups_of_its_scopes_and_its_own() -> None:
    with in_workflow():
        outer, inner, own = (workflow.create_event_group(id) for id in ("outer", "inner", "own"))

        with outer.scope(), inner.scope():
            inside = _capture_event_group_markers([own])
        outside = _capture_event_group_markers(None)

    assert inside == [_marker("outer"), _marker("inner"), _marker("own")]
    assert outside == []


async def test_a_group_that_is_named_twice_is_borne_once() -> None:
    with in_workflow():
        group, again, other = (workflow.create_event_group(id) for id in ("a", "a", "b"))
        with group.scope(), other.scope():
            assert _ids(_capture_event_group_markers([again])) == ["a", "b"]


async def test_a_label_is_stored_as_a_payload_that_anybody_can_read() -> None:
    with in_workflow():
        [marker] = _capture_event_group_markers([workflow.create_event_group("a", label="Shipping")])

    assert PayloadConverter.default.from_payload(marker.label.label) == "Shipping"


async def test_the_handler_of_a_signal_or_update_leaves_the_scopes_around_it() -> None:
    with in_workflow():
        outer, own = workflow.create_event_group("outer"), workflow.create_event_group("own")
        with outer.scope(), _inbound_event_group(7).scope(), own.scope():
            of_signal = _capture_event_group_markers(None)
        with outer.scope(), _inbound_update_event_group("update").scope():
            [of_update] = _capture_event_group_markers(None)

    assert _ids(of_signal) == ["7", "own"]
    assert of_update.inbound_update.inbound_update_id == "update"


async def test_a_signal_without_an_event_gets_no_group_and_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with in_workflow(), caplog.at_level(logging.WARNING), workflow.create_event_group("outer").scope(), _inbound_event_group(0).scope():
        assert _capture_event_group_markers(None) == []

    assert "No event group for a signal" in caplog.text


async def test_a_task_inherits_the_scopes_it_was_started_in() -> None:
    async def command() -> list[EventGroupMarker]:
        return _capture_event_group_markers(None)

    with in_workflow():
        with workflow.create_event_group("outer").scope():
            task = asyncio.create_task(command())
        assert _ids(await task) == ["outer"]


async def test_a_coroutine_that_is_closed_inside_of_a_scope_leaves_it_quietly() -> None:
    async def never_ends() -> None:
        with workflow.create_event_group("outer").scope():
            await asyncio.get_running_loop().create_future()

    with in_workflow():
        coroutine = never_ends()
        contextvars.copy_context().run(coroutine.send, None)
        coroutine.close()

    assert _capture_event_group_markers(None) == []


async def test_a_group_has_an_id_and_a_label_that_is_not_empty() -> None:
    with in_workflow():
        with pytest.raises(ValueError, match="id cannot be empty"):
            workflow.create_event_group("")
        with pytest.raises(ValueError, match="label cannot be empty"):
            workflow.create_event_group("a", label="")


async def test_only_groups_that_workflow_code_made_can_be_given() -> None:
    with in_workflow(), pytest.raises(TypeError, match=r"must be created with workflow\.create_event_group"):
        _capture_event_group_markers([_inbound_update_event_group("update")])
