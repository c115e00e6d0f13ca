"""The two SDKs on one task queue: what a worker of one began, a worker of the other ends."""

import pytest
from temporalio.client import Client

import outlast.client
from outlast.server.node import Node
from tests.history_checker import check_history
from tests.replay.make_histories import official_worker, own_worker

QUEUE = "both"


@pytest.mark.parametrize("first", ["official", "outlast"])
async def test_a_workflow_goes_on_with_a_worker_of_the_other_sdk(node: Node, client: Client, first: str) -> None:
    own_client = await outlast.client.Client.connect(node.address)
    workers = {"official": official_worker(client, QUEUE, 10), "outlast": own_worker(own_client, QUEUE, 10)}
    handle = await client.start_workflow("Updates", id="both", task_queue=QUEUE, result_type=int)

    async with workers.pop(first):
        await handle.execute_update("add", 1)
        await handle.execute_update("add_locally", 5)
    async with workers.popitem()[1]:
        total = await handle.execute_update("add", 3)
        await handle.signal("finish")
        result = await handle.result()

    assert (total, result) == (9, 9)
    events = (await handle.fetch_history()).events
    assert check_history(events) == []
    names = [event.workflow_task_completed_event_attributes.sdk_metadata.sdk_name for event in events]
    assert len(set(filter(None, names))) == 2, names
