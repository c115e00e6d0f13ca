"""Interceptors, plugins, headers and the settings of a client."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from outlast.client import (
    Client,
    ClientConfig,
    ClientConnectConfig,
    ConnectConfig,
    HeaderCodecBehavior,
    Interceptor,
    OutboundInterceptor,
    Plugin,
    QueryWorkflowInput,
    ServiceClient,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from outlast.client._impl import _ClientImpl
from outlast.converter import DataConverter, PayloadCodec
from outlast.server.node import Node
from tests.client.workflows import KnownCounter


class Marking(Interceptor):
    """Notes the calls, and sends a header with them."""

    def __init__(self, name: str, seen: list[tuple[str, str]]) -> None:
        self.name = name
        self.seen = seen

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return MarkingOutbound(next, self)


class MarkingOutbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, marking: Marking) -> None:
        super().__init__(next)
        self._marking = marking

    def _mark(self, call: str, input: Any) -> None:
        self._marking.seen.append((self._marking.name, call))
        input.headers = {**input.headers, self._marking.name: Payload(data=b"x")}

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        self._mark(f"start {input.workflow}", input)
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        self._mark(f"signal {input.signal}", input)
        await super().signal_workflow(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        self._mark(f"query {input.query}", input)
        return await super().query_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        self._mark(f"update {input.update}", input)
        return await super().start_workflow_update(input)


async def test_the_first_interceptor_is_outermost_and_headers_travel(node: Node, worker: str) -> None:
    seen: list[tuple[str, str]] = []
    client = await Client.connect(node.address, interceptors=[Marking("a", seen), Marking("b", seen)])

    handle = await client.start_workflow("header", id="h", task_queue=worker)

    assert await handle.result() == ["a", "b"]
    assert seen == [("a", "start header"), ("b", "start header")]


async def test_every_kind_of_call_passes_the_interceptors(node: Node, worker: str) -> None:
    seen: list[tuple[str, str]] = []
    client = await Client.connect(node.address, interceptors=[Marking("a", seen)])

    handle = await client.start_workflow(KnownCounter.run, id="c", task_queue=worker)
    await handle.signal(KnownCounter.add, 1)
    await handle.query(KnownCounter.so_far)
    await handle.execute_update(KnownCounter.add_and_tell, 1)

    assert [call for _, call in seen] == ["start counter", "signal add", "query so_far", "update add_and_tell"]
    history = await handle.fetch_history()
    fields = [
        event.workflow_execution_signaled_event_attributes.header.fields
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert [dict(field)["a"].data for field in fields] == [b"x"]


def test_an_interceptor_that_changes_nothing_passes_every_call_on() -> None:
    calls = [name for name, _ in inspect.getmembers(OutboundInterceptor, inspect.isfunction) if not name.startswith("_")]

    class Last:
        def __getattr__(self, name: str) -> Callable[[str], Any]:
            def plain(input: str) -> str:
                return f"{name} {input}"

            async def awaited(input: str) -> str:
                return f"{name} {input}"

            return awaited if inspect.iscoroutinefunction(getattr(OutboundInterceptor, name)) else plain

    passing = OutboundInterceptor(Last())  # type: ignore[arg-type]
    for name in calls:
        outcome = getattr(passing, name)("given")
        if inspect.iscoroutine(outcome):
            with pytest.raises(StopIteration) as ended:
                outcome.send(None)
            outcome = ended.value.value
        assert outcome in (f"{name} given", None)
        assert inspect.iscoroutinefunction(getattr(_ClientImpl, name)) == inspect.iscoroutinefunction(getattr(OutboundInterceptor, name))
        assert getattr(_ClientImpl, name) is not getattr(OutboundInterceptor, name)


@dataclass
class Reversing(PayloadCodec):
    """Turns the bytes round."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"reversed"}, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(payload.data[::-1]) if payload.metadata.get("encoding") == b"reversed" else payload for payload in payloads
        ]


@pytest.mark.parametrize("behaviour", [HeaderCodecBehavior.NO_CODEC, HeaderCodecBehavior.CODEC])
async def test_headers_go_through_the_codec_only_if_asked(node: Node, behaviour: HeaderCodecBehavior) -> None:
    converter = DataConverter(payload_codec=Reversing())
    client = await Client.connect(node.address, interceptors=[Marking("a", [])], data_converter=converter, header_codec_behavior=behaviour)

    handle = await client.start_workflow("greet", "you", id="w", task_queue="nobody", memo={"m": 1}, static_summary="s")

    attributes = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    is_encoded = attributes.header.fields["a"].metadata.get("encoding") == b"reversed"
    assert is_encoded == (behaviour is HeaderCodecBehavior.CODEC)
    assert attributes.input.payloads[0].metadata["encoding"] == b"reversed"
    description = await handle.describe()
    assert (await description.memo_value("m"), await description.static_summary()) == (1, "s")


class Noting(Plugin):
    def __init__(self, name: str, notes: list[str]) -> None:
        self._name = name
        self._notes = notes

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        self._notes.append(f"{self._name} configures")
        config["namespace"] = "other"
        config["interceptors"] = [*config["interceptors"], Interceptor()]
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        self._notes.append(f"{self._name} connects")
        config.identity = self._name
        return await next(config)


async def test_plugins_change_settings_and_connection(node: Node) -> None:
    notes: list[str] = []
    client = await Client.connect(node.address, plugins=[Noting("a", notes), Noting("b", notes)])

    assert notes == ["a connects", "b connects", "a configures", "b configures"]
    assert (client.identity, client.namespace) == ("b", "other")
    assert client.config()["namespace"] == "default"
    assert client.config(active_config=True)["namespace"] == "other"
    assert (len(client.config()["interceptors"]), len(client.config(active_config=True)["interceptors"])) == (0, 2)
    assert Noting("a", []).name() == f"{Noting.__module__}.Noting"


async def test_a_client_of_another_namespace_shares_the_connection(client: Client) -> None:
    config = client.config()
    config["namespace"] = "another"

    other = Client(**config)

    assert other.namespace == "another"
    assert other.service_client is client.service_client
    assert (other.workflow_service, other.operator_service, other.test_service) == (
        client.service_client.workflow_service,
        client.service_client.operator_service,
        client.service_client.test_service,
    )


async def test_headers_and_key_of_all_calls_can_be_changed(client: Client) -> None:
    client.rpc_metadata = {"a": "b"}
    client.api_key = "k"

    assert (client.rpc_metadata, client.api_key) == ({"a": "b"}, "k")
    with pytest.raises(TypeError):
        client.rpc_metadata = {"a-bin": "text"}
    assert client.rpc_metadata == {"a": "b"}


async def test_an_identity_is_made_up_if_none_is_given(node: Node) -> None:
    assert "@" in (await Client.connect(node.address)).identity
    assert (await Client.connect(node.address, identity="me")).identity == "me"


def test_the_settings_as_a_dictionary_are_the_parameters_of_connect() -> None:
    assert set(inspect.signature(Client.connect).parameters) == set(ClientConnectConfig.__annotations__)
    assert set(inspect.signature(Client.__init__).parameters) - {"self"} == set(ClientConfig.__annotations__)
