"""Lists over the wire: they see what has just happened, page on while it happens, and refuse what they cannot read."""

import asyncio
import json
from typing import Any

import grpc.aio
import pytest
from hypothesis import HealthCheck, given, settings
from temporalio.api.common.v1 import Payload, SearchAttributes, WorkflowExecution
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, OperatorServiceStub, RemoveSearchAttributesRequest

from tests.server.conftest import Wire
from tests.visibility.test_fuzz import COLUMNS, TEXTS
from tests.visibility.test_fuzz import VIEW as FUZZED

DAY = 24 * 3600 * 1_000_000_000


def coloured(colour: Any, name: str = "Colour") -> SearchAttributes:
    return SearchAttributes(indexed_fields={name: Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(colour).encode())})


async def add(wire: Wire, **kinds: int) -> None:
    request = AddSearchAttributesRequest(namespace="default", search_attributes=kinds)  # type: ignore[arg-type]
    await OperatorServiceStub(wire.channel).AddSearchAttributes(request)


async def remove(wire: Wire, name: str) -> None:
    request = RemoveSearchAttributesRequest(namespace="default", search_attributes=[name])
    await OperatorServiceStub(wire.channel).RemoveSearchAttributes(request)


async def found(wire: Wire, query: str) -> list[str]:
    reply = await wire.call("ListWorkflowExecutions", query=query)
    assert (await wire.call("CountWorkflowExecutions", query=query)).count == len(reply.executions)
    return [info.execution.workflow_id for info in reply.executions]


async def test_a_list_sees_each_start_and_each_end_at_once(wire: Wire) -> None:
    await add(wire, Colour=2)
    for number in range(5):
        await wire.begin(f"w{number}", search_attributes=coloured("red"))
        assert len(await found(wire, "Colour = 'red' AND ExecutionStatus = 'Running'")) == number + 1
    for number in range(5):
        await wire.terminate(f"w{number}")
        assert len(await found(wire, "Colour = 'red' AND ExecutionStatus = 'Terminated'")) == number + 1
        assert len(await found(wire, "ExecutionStatus = 'Running'")) == 4 - number


async def test_counts_and_conditions_outlive_the_server(wire: Wire) -> None:
    await add(wire, Colour=2, Tags=7)
    await wire.begin("a", search_attributes=coloured("red"))
    await wire.begin("b", search_attributes=coloured(["x", "y"], "Tags"))

    await wire.restart()
    await wire.terminate("a")

    assert await found(wire, "Colour = 'red'") == ["a"]
    assert await found(wire, "Tags = 'y' AND ExecutionStatus = 'Running'") == ["b"]
    assert await found(wire, "ExecutionStatus = 'Terminated'") == ["a"]


async def test_a_deleted_run_and_one_whose_retention_is_over_vanish(wire: Wire) -> None:
    await add(wire, Colour=2)
    for name in ("a", "b"):
        await wire.begin(name, search_attributes=coloured("red"))
        await wire.terminate(name)
    await wire.call("DeleteWorkflowExecution", workflow_execution=WorkflowExecution(workflow_id="a"))
    async with asyncio.timeout(20):
        while await wire.there("a"):
            await asyncio.sleep(0.01)
    assert await found(wire, "Colour = 'red'") == ["b"]

    await wire.restart(2 * DAY)
    async with asyncio.timeout(20):
        while await wire.there("b"):
            await asyncio.sleep(0.01)

    assert await found(wire, "Colour = 'red'") == []
    assert await found(wire, "") == []


@pytest.mark.parametrize("order", ["", " ORDER BY StartTime", " ORDER BY Colour DESC, WorkflowId"])
async def test_pages_go_on_while_runs_start_and_end_in_between(wire: Wire, order: str) -> None:
    await add(wire, Colour=2)
    names = [f"w{number:02}" for number in range(12)]
    for number, name in enumerate(names):
        await wire.begin(name, search_attributes=coloured(f"c{number % 3}"))
    seen: list[str] = []
    token = b""
    for number in range(100):
        query = f"WorkflowId < 'x' AND ExecutionStatus = 'Running'{order}"
        reply = await wire.call("ListWorkflowExecutions", query=query, page_size=2, next_page_token=token)
        seen += [info.execution.workflow_id for info in reply.executions]
        token = reply.next_page_token
        if not token:
            break
        await wire.terminate(seen[-1])
        await wire.begin(f"x{number}", search_attributes=coloured("c1"))

    assert sorted(seen) == names


async def test_describe_and_lists_agree(wire: Wire) -> None:
    await add(wire, Colour=2, Tags=7, Size=3)
    for name, attributes in (("a", coloured("red")), ("b", coloured(["x"], "Tags")), ("c", coloured(5, "Size"))):
        await wire.begin(name, search_attributes=attributes)
    await wire.terminate("b")

    listed = await wire.call("ListWorkflowExecutions")

    for info in listed.executions:
        described = (await wire.call("DescribeWorkflowExecution", execution=info.execution)).workflow_execution_info
        for field in ("type", "status", "start_time", "close_time", "execution_time", "task_queue", "memo", "search_attributes"):
            assert getattr(info, field) == getattr(described, field), field


async def test_a_name_that_comes_again_does_not_show_what_another_had(wire: Wire) -> None:
    """Its column was another's."""
    await add(wire, Colour=2)
    await wire.begin("a", search_attributes=coloured("red"))
    await remove(wire, "Colour")

    await add(wire, Shape=2)

    assert await found(wire, "Shape IS NOT NULL") == []
    assert await found(wire, "Keyword01 = 'red'") == []
    listed = await wire.call("ListWorkflowExecutions")
    assert dict(listed.executions[0].search_attributes.indexed_fields) == {}


async def test_a_bad_token_is_refused(wire: Wire) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await wire.call("ListWorkflowExecutions", next_page_token=b"nonsense")

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(TEXTS)
async def test_any_text_is_answered_or_refused_as_an_argument(wire: Wire, text: str) -> None:
    await add(wire, **dict(FUZZED.search_attributes))
    assert set(COLUMNS) == set(FUZZED.search_attributes)
    if not await wire.there("a"):
        await wire.begin("a", search_attributes=coloured("it's", "CK"))

    for method in ("ListWorkflowExecutions", "CountWorkflowExecutions", "ScanWorkflowExecutions"):
        try:
            await wire.call(method, query=text)
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (text, error)
    assert (await wire.call("CountWorkflowExecutions")).count == 1
