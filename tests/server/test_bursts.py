"""What a server does when thousands of calls arrive at once."""

import asyncio

import grpc
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, WorkflowServiceStub

from outlast.server.node import Node, NodeSettings

CALLS = 5_000


async def test_of_thousands_of_calls_at_once_none_is_dropped() -> None:
    node = Node(NodeSettings(port=0))
    await node.start()
    async with grpc.aio.insecure_channel(node.address) as channel:
        stub = WorkflowServiceStub(channel)
        calls = (stub.DescribeNamespace(DescribeNamespaceRequest(namespace="default"), timeout=120) for _ in range(CALLS))
        replies = await asyncio.gather(*calls)
    await node.stop()

    assert {reply.namespace_info.name for reply in replies} == {"default"}
