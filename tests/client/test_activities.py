"""Activities of workflows that are completed by someone else than their worker, on our server."""

from __future__ import annotations

import pytest

from outlast.client import (
    AsyncActivityCancelledError,
    AsyncActivityHandle,
    AsyncActivityIDReference,
    Client,
    WorkflowFailureError,
)
from outlast.converter import (
    DataConverter,
    DefaultPayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from outlast.exceptions import ActivityError, ApplicationError
from outlast.service import RPCError, RPCStatusCode
from tests.client.workflows import Later


async def test_an_activity_is_completed_by_token_or_by_ids(client: Client, worker: str, later: Later) -> None:
    first = await client.start_workflow("with-activity", id="a", task_queue=worker)
    by_token = client.get_async_activity_handle(task_token=await later.tokens.get())
    await by_token.heartbeat("half")
    await by_token.complete("done")
    second = await client.start_workflow("with-activity", id="b", task_queue=worker)
    await later.tokens.get()
    by_ids = client.get_async_activity_handle(workflow_id="b", run_id=second.result_run_id, activity_id="1")
    await by_ids.heartbeat()
    await by_ids.complete()

    assert (await first.result(), await second.result()) == ("done", None)


async def test_an_activity_is_failed_by_someone_else(client: Client, worker: str, later: Later) -> None:
    handle = await client.start_workflow("with-activity", id="a", task_queue=worker)
    outside = client.get_async_activity_handle(task_token=await later.tokens.get())

    await outside.fail(ApplicationError("bad", type="Bad", non_retryable=True))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    assert failed.value.cause.cause.type == "Bad"


async def test_a_heartbeat_hears_that_the_activity_is_to_stop(client: Client, worker: str, later: Later) -> None:
    handle = await client.start_workflow("with-activity", id="a", task_queue=worker)
    outside = client.get_async_activity_handle(task_token=await later.tokens.get())
    await handle.cancel()

    with pytest.raises(AsyncActivityCancelledError) as asked:
        while True:
            await outside.heartbeat()
    await outside.report_cancellation("bye")

    assert asked.value.details is not None
    assert asked.value.details.cancel_requested
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def test_an_activity_that_is_over_is_not_found(client: Client) -> None:
    with pytest.raises(RPCError) as missing:
        await client.get_async_activity_handle(workflow_id="nobody", run_id=None, activity_id="1").complete()

    assert missing.value.status is RPCStatusCode.NOT_FOUND


async def test_a_handle_names_one_activity(client: Client) -> None:
    assert client.get_async_activity_handle(activity_id="a", run_id="r")._id_or_token == AsyncActivityIDReference(None, "r", "a")
    for names in ({"task_token": b"x", "activity_id": "a"}, {"workflow_id": "w"}, {"run_id": "r"}, {}):
        with pytest.raises(ValueError, match=r"Task token|together|Require"):
            client.get_async_activity_handle(**names)  # type: ignore[call-overload]


class InContext(DefaultPayloadConverter, WithSerializationContext):
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> InContext:
        converter = InContext()
        converter.context = context
        return converter


async def test_a_handle_takes_the_context_of_its_activity(client: Client) -> None:
    plain = client.get_async_activity_handle(task_token=b"x")
    context = WorkflowSerializationContext(namespace="default", workflow_id="w")
    aware = Client(client.service_client, data_converter=DataConverter(payload_converter_class=InContext))

    class Own(AsyncActivityHandle):
        def __init__(self) -> None:
            super().__init__(aware, b"x")

    assert plain.with_context(context) is plain
    with_context = aware.get_async_activity_handle(task_token=b"x").with_context(context)
    assert with_context._data_converter_override is not None
    with pytest.raises(TypeError, match="with_context"):
        Own().with_context(context)
