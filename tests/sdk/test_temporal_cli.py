"""The official `temporal` command line, on a node of ours."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from outlast.server.node import Node
from tests.sdk.test_official_sdk import QUEUE, a_worker

TEMPORAL = Path(sys.executable).parent / "temporal"
SECONDS = 30


async def temporal(node: Node, *arguments: str) -> Any:
    """Run a command; what it prints as JSON."""
    process = await asyncio.create_subprocess_exec(
        TEMPORAL,
        *arguments,
        "--address",
        node.address,
        "--output",
        "json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out) if out.strip() else None


async def test_a_workflow_is_started_signalled_queried_shown_and_listed(node: Node, client: Client) -> None:
    wid, order = ("--workflow-id", "from-the-cli"), json.dumps({"name": "o", "items": [1, 2]})
    async with a_worker(client):
        await temporal(node, "workflow", "start", *wid, "--type", "Everything", "--task-queue", QUEUE, "--input", order)
        await temporal(node, "workflow", "signal", *wid, "--name", "name", "--input", '"first"')
        queried = await temporal(node, "workflow", "query", *wid, "--name", "seen")
        await temporal(node, "workflow", "signal", *wid, "--name", "name", "--input", '"second"')
        result = await temporal(node, "workflow", "result", *wid)
        described = await temporal(node, "workflow", "describe", *wid)
        shown = await temporal(node, "workflow", "show", *wid)
        listed = await temporal(node, "workflow", "list")

    assert queried["queryResult"] == [["first"]]
    assert result["result"] == [3, ["first", "second"], [0, 1, 2]]
    assert described["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_COMPLETED"
    assert shown["events"][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert [execution["execution"]["workflowId"] for execution in listed] == ["from-the-cli"]


async def test_a_workflow_is_cancelled_and_another_terminated(node: Node, client: Client) -> None:
    async with a_worker(client):
        for verb in ("cancel", "terminate"):
            wid = ("--workflow-id", f"to-{verb}")
            await temporal(node, "workflow", "start", *wid, "--type", "Everything", "--task-queue", QUEUE, "--input", "{}")
            await temporal(node, "workflow", verb, *wid)

    described = await temporal(node, "workflow", "describe", "--workflow-id", "to-terminate")
    assert described["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_TERMINATED"


async def test_namespaces_and_queues_are_described(node: Node) -> None:
    await temporal(node, "operator", "namespace", "create", "--namespace", "mine")
    described = await temporal(node, "operator", "namespace", "describe", "--namespace", "mine")

    assert described["namespaceInfo"]["name"] == "mine"


async def test_search_attributes_are_made_listed_and_removed(node: Node) -> None:
    await temporal(
        node, "operator", "search-attribute", "create", "--name", "Shape", "--type", "Keyword", "--name", "Size", "--type", "Int"
    )
    await temporal(node, "operator", "search-attribute", "remove", "--name", "Shape", "--yes")

    listed = await temporal(node, "operator", "search-attribute", "list")

    assert listed["customAttributes"] == {"Colour": "INDEXED_VALUE_TYPE_KEYWORD", "Size": "INDEXED_VALUE_TYPE_INT"}


async def test_workflows_are_listed_and_counted_by_filters(node: Node, client: Client) -> None:
    for colour, number in (("red", 1), ("red", 2), ("blue", 3)):
        start = ("--type", "Never", "--task-queue", "nobody", "--workflow-id", f"{colour}-{number}")
        await temporal(node, "workflow", "start", *start, "--search-attribute", f'Colour="{colour}"', "--memo", 'note="a"')
    await temporal(node, "workflow", "terminate", "--workflow-id", "red-2")
    red_and_running = "Colour = 'red' AND ExecutionStatus = 'Running'"

    listed = await temporal(node, "workflow", "list", "--query", red_and_running)
    counted = await temporal(node, "workflow", "count", "--query", "Colour = 'red'")
    grouped = await temporal(node, "workflow", "count", "--query", "Colour = 'red' GROUP BY ExecutionStatus")
    limited = await temporal(node, "workflow", "list", "--limit", "2", "--query", "WorkflowId STARTS_WITH 'red'")
    paged = await temporal(node, "workflow", "list", "--page-size", "1", "--query", "Colour IN ('red', 'blue')")

    assert [info["execution"]["workflowId"] for info in listed] == ["red-1"]
    assert [info["memo"]["fields"] for info in listed] == [{"note": "a"}]
    assert counted["count"] == "2"
    assert sorted(group["count"] for group in grouped["groups"]) == ["1", "1"]
    assert len(limited) == 2
    assert [info["execution"]["workflowId"] for info in paged] == ["blue-3", "red-1", "red-2"]


async def test_a_filter_that_cannot_be_read_is_refused_with_its_reason(node: Node) -> None:
    with pytest.raises(AssertionError, match="invalid search attribute: Nope"):
        await temporal(node, "workflow", "list", "--query", "Nope = 1")
    with pytest.raises(AssertionError, match="syntax error at position 35 near 'bar'"):
        await temporal(node, "workflow", "count", "--query", "foo bar")
