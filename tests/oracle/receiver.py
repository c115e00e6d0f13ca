"""A real HTTP server on loopback that takes completion callbacks, answers as told, and keeps what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Callback, Payload

WAIT_SECONDS = 20.0
_OWN = frozenset({"host", "accept-encoding", "accept", "connection", "content-length", "user-agent", "transfer-encoding"})
"""Headers of the HTTP library, not of the protocol."""


@dataclass(frozen=True)
class Answer:
    """What the receiver answers to one delivery."""

    status: str = "200 OK"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Delivery:
    """One POST as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def shown(self) -> dict[str, Any]:
        """As a scenario records it: the protocol's headers, and the body as JSON if it says it is."""
        headers = {name: value for name, value in sorted(self.headers.items()) if name not in _OWN}
        for name in ("nexus-operation-start-time", "nexus-operation-close-time"):
            if name in headers:
                headers[name] = "<time>"
        return {"path": self.path, "headers": headers, "body": self._shown_body()}

    def _shown_body(self) -> Any:
        match self.headers.get("content-type", ""):
            case "application/json":
                return json.loads(self.body)
            case "application/x-temporal-payload":
                return Payload.FromString(self.body)
            case _:
                return self.body.decode(errors="replace")


class Receiver:
    """Takes POSTs on a free port. `answers` are used up in order; then everything is 200."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._came = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self.deliveries: list[Delivery] = []
        self.port = 0

    async def __aenter__(self) -> Receiver:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def callback(self, path: str = "/done", **header: str) -> Callback:
        """A callback to here."""
        return Callback(nexus=Callback.Nexus(url=f"http://127.0.0.1:{self.port}{path}", header=header))

    async def delivered(self, count: int = 1) -> Delivery:
        """The delivery number `count`, waited for."""
        async with asyncio.timeout(WAIT_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.deliveries) >= count)
        return self.deliveries[count - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(_header(line) for line in head[1:] if line)
            delivery = Delivery(head[0].split(" ")[1], headers, await _body(reader, headers))
            answer = self._answers.pop(0) if self._answers else Answer()
            async with self._came:
                self.deliveries.append(delivery)
                self._came.notify_all()
            lines = [f"HTTP/1.1 {answer.status}", f"Content-Length: {len(answer.body)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
