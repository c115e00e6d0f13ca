"""The gRPC transport against a node and against a server that says what it was sent."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice import v1 as ws

import outlast.service
from outlast.server.node import Node
from outlast.service import ConnectConfig, GrpcCompression, KeepAliveConfig, RetryConfig, RPCError, RPCStatusCode, ServiceClient, TLSConfig
from outlast.service._channel import open_channel


class Echo(grpc.GenericRpcHandler):
    """Answers every call with an empty message, and keeps what came along."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str | bytes]]] = []
        self.deadlines: list[float | None] = []
        self.failures: list[grpc.StatusCode] = []
        self.holds = False

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        async def answer(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            self.calls.append((details.method, dict(context.invocation_metadata())))
            self.deadlines.append(context.time_remaining())
            if self.holds:
                await asyncio.Event().wait()
            if self.failures:
                await context.abort(self.failures.pop(0), "sorry")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)

    @property
    def headers(self) -> dict[str, str | bytes]:
        return self.calls[-1][1]


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[tuple[Echo, str]]:
    handler = Echo()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield handler, f"127.0.0.1:{port}"
    await server.stop(0)


async def test_a_call_gets_the_servers_reply(node: Node) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address))

    reply = await client.workflow_service.describe_namespace(ws.DescribeNamespaceRequest(namespace="default"))

    assert reply.namespace_info.name == "default"
    assert await client.check_health()


async def test_an_error_has_the_servers_code_message_and_details(node: Node) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address))
    request = ws.DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id="nobody"))

    with pytest.raises(RPCError) as raised:
        await client.workflow_service.describe_workflow_execution(request)

    assert raised.value.status is RPCStatusCode.NOT_FOUND
    assert raised.value.message == str(raised.value) != ""
    assert raised.value.raw_grpc_status
    assert raised.value.grpc_status.code == RPCStatusCode.NOT_FOUND
    assert raised.value.grpc_status.details


async def test_connecting_to_nobody_fails_at_once_unless_it_is_lazy() -> None:
    with pytest.raises(RuntimeError, match="Failed client connect"):
        await ServiceClient.connect(ConnectConfig("127.0.0.1:1"))

    client = await ServiceClient.connect(ConnectConfig("127.0.0.1:1", lazy=True))
    with pytest.raises(RPCError) as raised:
        await client.workflow_service.get_system_info(ws.GetSystemInfoRequest())
    assert raised.value.status is RPCStatusCode.UNAVAILABLE


async def test_headers_name_client_and_namespace_and_the_calls_own_win(echo: tuple[Echo, str]) -> None:
    server, address = echo
    client = await ServiceClient.connect(ConnectConfig(address, api_key="secret", tls=False, rpc_metadata={"One": "1", "two-bin": b"\x00"}))
    request = ws.DescribeNamespaceRequest(namespace="here")

    await client.workflow_service.describe_namespace(request)
    assert server.calls[-1][0] == "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace"
    assert server.headers["client-name"] == "outlast-python"
    assert server.headers["client-version"]
    assert server.headers["temporal-namespace"] == "here"
    assert server.headers["authorization"] == "Bearer secret"
    assert (server.headers["one"], server.headers["two-bin"]) == ("1", b"\x00")

    await client.workflow_service.describe_namespace(request, metadata={"one": "another"})
    assert (server.headers["one"], server.headers["two-bin"]) == ("another", b"\x00")

    client.update_rpc_metadata({"authorization": "mine"})
    await client.workflow_service.describe_namespace(request)
    assert "one" not in server.headers
    assert server.headers["authorization"] == "mine"

    client.update_rpc_metadata({})
    client.update_api_key(None)
    await client.workflow_service.describe_namespace(request)
    assert "authorization" not in server.headers


@pytest.mark.parametrize("metadata", [{"a-bin": "text"}, {"a": b"bytes"}, {"a": "lin\ne"}])
async def test_what_cannot_be_a_header_is_refused(metadata: dict[str, str | bytes], echo: tuple[Echo, str]) -> None:
    client = await ServiceClient.connect(ConnectConfig(echo[1]))

    with pytest.raises((TypeError, ValueError), match="Invalid metadata"):
        client.update_rpc_metadata(metadata)
    with pytest.raises((TypeError, ValueError), match="Invalid metadata"):
        await client.workflow_service.get_system_info(ws.GetSystemInfoRequest(), metadata=metadata)


async def test_a_call_is_repeated_only_if_asked(echo: tuple[Echo, str]) -> None:
    server, address = echo
    client = await ServiceClient.connect(ConnectConfig(address, retry_config=RetryConfig(initial_interval_millis=1)))

    server.failures = [grpc.StatusCode.UNAVAILABLE]
    with pytest.raises(RPCError, match="sorry"):
        await client.workflow_service.get_system_info(ws.GetSystemInfoRequest())

    server.failures = [grpc.StatusCode.UNAVAILABLE]
    await client.workflow_service.get_system_info(ws.GetSystemInfoRequest(), retry=True)


async def test_a_long_poll_gets_more_time_than_other_calls(echo: tuple[Echo, str]) -> None:
    server, address = echo
    client = await ServiceClient.connect(ConnectConfig(address))
    service = client.workflow_service

    await service.get_workflow_execution_history(ws.GetWorkflowExecutionHistoryRequest(), retry=True)
    await service.get_workflow_execution_history(ws.GetWorkflowExecutionHistoryRequest(wait_new_event=True), retry=True)
    await service.poll_workflow_task_queue(ws.PollWorkflowTaskQueueRequest(), retry=True)
    await service.poll_workflow_task_queue(ws.PollWorkflowTaskQueueRequest(), retry=True, timeout=timedelta(seconds=5))

    limits = [30, 70, 70, 5]
    assert [abs(limit - (left or 0)) < 3 for limit, left in zip(limits, server.deadlines[1:], strict=True)] == [True] * 4


async def test_a_call_that_takes_too_long_is_given_up(echo: tuple[Echo, str]) -> None:
    server, address = echo
    client = await ServiceClient.connect(ConnectConfig(address))
    server.holds = True

    with pytest.raises(RPCError) as raised:
        await client.workflow_service.get_system_info(ws.GetSystemInfoRequest(), retry=True, timeout=timedelta(milliseconds=50))

    assert raised.value.status is RPCStatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("compression", [GrpcCompression.NONE, GrpcCompression.GZIP])
async def test_large_and_small_messages_arrive_compressed_or_not(node: Node, compression: GrpcCompression) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address, grpc_compression=compression))
    request = ws.StartWorkflowExecutionRequest(namespace="default", workflow_id="w", request_id="r")
    request.workflow_type.name = "W"
    request.task_queue.name = "q"
    request.input.payloads.add(data=b"x" * 100_000)

    started = await client.workflow_service.start_workflow_execution(request)
    history = await client.workflow_service.get_workflow_execution_history(
        ws.GetWorkflowExecutionHistoryRequest(namespace="default", execution=WorkflowExecution(workflow_id="w", run_id=started.run_id))
    )

    attributes = history.history.events[0].workflow_execution_started_event_attributes
    assert attributes.input.payloads[0].data == b"x" * 100_000


async def test_one_client_serves_several_event_loops(node: Node) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address))
    names: list[str] = []

    async def call() -> None:
        names.append(
            (await client.workflow_service.describe_namespace(ws.DescribeNamespaceRequest(namespace="default"))).namespace_info.name
        )
        await client.close()

    thread = Thread(target=lambda: asyncio.run(call()))
    thread.start()
    await asyncio.to_thread(thread.join)
    await call()

    assert names == ["default", "default"]


async def test_protos_are_logged_on_demand(node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address))
    monkeypatch.setattr(outlast.service, "LOG_PROTOS", True)

    with caplog.at_level(logging.DEBUG, logger="outlast.service"):
        await client.workflow_service.describe_namespace(ws.DescribeNamespaceRequest(namespace="default"))

    assert [record.message.split(":")[0] for record in caplog.records] == [
        "Service workflow request to describe_namespace",
        "Service workflow response from describe_namespace",
    ]


async def test_an_encrypted_connection_checks_the_servers_name_and_shows_the_clients_certificate(tmp_path: Path) -> None:
    key, certificate = _self_signed(tmp_path, "outlast.test")
    credentials = grpc.ssl_server_credentials([(key, certificate)], root_certificates=certificate, require_client_auth=True)
    server = grpc.aio.server()
    handler = Echo()
    server.add_generic_rpc_handlers((handler,))
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    tls = TLSConfig(server_root_ca_cert=certificate, domain="outlast.test", client_cert=certificate, client_private_key=key)

    client = await ServiceClient.connect(ConnectConfig(f"127.0.0.1:{port}", tls=tls, api_key="k"))
    await client.workflow_service.get_system_info(ws.GetSystemInfoRequest())
    assert handler.headers["authorization"] == "Bearer k"

    tls.domain = "somebody.else"
    with pytest.raises(RuntimeError, match="Failed client connect"):
        await ServiceClient.connect(ConnectConfig(f"127.0.0.1:{port}", tls=tls))
    await server.stop(0)


async def test_a_key_is_not_sent_in_the_clear_unless_asked(echo: tuple[Echo, str]) -> None:
    server, address = echo

    with pytest.raises(RuntimeError, match="Failed client connect"):
        await ServiceClient.connect(ConnectConfig(address, api_key="secret"))
    assert server.calls == []
    await ServiceClient.connect(ConnectConfig(address, api_key="secret", tls=False))
    assert server.headers["authorization"] == "Bearer secret"


async def test_settings_that_contradict_one_another_are_refused() -> None:
    for tls in (TLSConfig(client_cert=b"x"), TLSConfig(verification_server_name="x")):
        with pytest.raises(ValueError, match=r"together|not supported"):
            open_channel(ConnectConfig("localhost:1", tls=tls))


async def test_a_url_is_taken_with_a_warning(node: Node) -> None:
    with pytest.warns(UserWarning, match="scheme no longer supported"):
        client = await ServiceClient.connect(
            ConnectConfig(f"http://{node.address}", keep_alive_config=KeepAliveConfig(interval_millis=10_000))
        )
    assert await client.check_health()


async def test_a_process_that_forked_is_told_so_and_does_not_crash(node: Node) -> None:
    program = f"""
import asyncio, os
from outlast.service import ConnectConfig, ServiceClient
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
client = asyncio.run(ServiceClient.connect(ConnectConfig({node.address!r})))
for again in (lambda: client.workflow_service.get_system_info(GetSystemInfoRequest()), lambda: ServiceClient.connect(client.config)):
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(again())
        except AssertionError as error:
            os._exit(7 if "across forks" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def test_a_pool_of_processes_lives_while_calls_are_under_way(node: Node) -> None:
    program = f"""
import asyncio, os
from concurrent.futures import ProcessPoolExecutor
from outlast.service import ConnectConfig, ServiceClient
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest

async def main():
    client = await ServiceClient.connect(ConnectConfig({node.address!r}))
    request = PollWorkflowTaskQueueRequest(namespace="default")
    request.task_queue.name = "q"
    polls = [asyncio.create_task(client.workflow_service.poll_workflow_task_queue(request)) for _ in range(5)]
    with ProcessPoolExecutor(3) as pool:
        children = await asyncio.gather(*(asyncio.wrap_future(pool.submit(os.getpid)) for _ in range(6)))
    assert os.getpid() not in children
    for poll in polls:
        poll.cancel()

assert os.environ["GRPC_ENABLE_FORK_SUPPORT"] == "false"
asyncio.run(main())
"""
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    assert await process.wait() == 0


def _self_signed(folder: Path, name: str) -> tuple[bytes, bytes]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key.read_bytes(), certificate.read_bytes()
