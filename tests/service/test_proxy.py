"""Connecting by a proxy."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from outlast.server.node import Node
from outlast.service import ConnectConfig, DnsLoadBalancingConfig, HttpConnectProxyConfig, ServiceClient


class Proxy:
    """Connects whoever asks by HTTP CONNECT, and keeps how they asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.asked.append(head)
        host, port = head[0].split()[1].rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
        except ConnectionError:
            pass
        finally:
            target.close()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[tuple[Proxy, str]]:
    handler = Proxy()
    server = await asyncio.start_server(handler.serve, "127.0.0.1", 0)
    yield handler, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    handler.stop()
    server.close()


async def test_a_proxy_is_asked_with_user_and_password(node: Node, proxy: tuple[Proxy, str]) -> None:
    handler, address = proxy
    config = ConnectConfig(node.address, http_connect_proxy_config=HttpConnectProxyConfig(address, ("user", "p@ss:w/")))

    client = await ServiceClient.connect(config)

    assert await client.check_health()
    assert handler.asked[0][0].split()[:2] == ["CONNECT", node.address]
    authorization = next(line for line in handler.asked[0] if line.lower().startswith("proxy-authorization"))
    assert authorization.split()[1:] == ["Basic", base64.b64encode(b"user:p@ss:w/").decode()]
    await client.close()


async def test_a_proxy_of_the_environment_is_not_asked(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    client = await ServiceClient.connect(ConnectConfig(node.address))

    assert await client.check_health()


async def test_calls_can_be_spread_over_all_addresses(node: Node) -> None:
    config = ConnectConfig(node.address.replace("127.0.0.1", "localhost"), dns_load_balancing_config=DnsLoadBalancingConfig.default)

    client = await ServiceClient.connect(config)

    assert await client.check_health()
