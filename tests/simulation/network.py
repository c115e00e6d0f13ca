"""The way from clients and workers to the node: requests and replies as bytes, some of them late, twice or never."""

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message

from outlast.engine.refusals import Refusal
from outlast.server.frontend.calls import WORKFLOW_SERVICE
from outlast.server.frontend.errors import rpc_error
from outlast.server.store.errors import StoreError
from tests.simulation.faults import Faults

MESSAGES = {
    method.name: (message_factory.GetMessageClass(method.input_type), message_factory.GetMessageClass(method.output_type))
    for method in WORKFLOW_SERVICE.methods
}
POLLS = ("PollWorkflowTaskQueue", "PollActivityTaskQueue")
UNKNOWN = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
"""After these the caller cannot know whether its request was done."""


TURNS_AFTER_COMMIT = 12
"""A caller hangs up within so many turns of the loop after a commit: just when its poll gets something."""


class RpcFailed(Exception):
    def __init__(self, code: str, message: str, detail: Message | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.detail = detail

    @property
    def unknown(self) -> bool:
        return self.code in UNKNOWN

    @property
    def try_again(self) -> bool:
        return self.unknown or self.code == "RESOURCE_EXHAUSTED"


@dataclass(eq=False)
class CallRecord:
    """One request as the server saw it, and what became of it."""

    name: str
    fate: str = "under way"
    ids: list[str] = field(default_factory=list)
    """Ids that the server drew for it; a poll's first one is its request id."""


CURRENT: contextvars.ContextVar[CallRecord | None] = contextvars.ContextVar("current call", default=None)


class _Call:
    """What a handler asks of a gRPC call."""

    def __init__(self, left_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._deadline, self._now = loop.time() + left_s, loop.time

    def seconds_left(self) -> float:
        return max(self._deadline - self._now(), 0.0)

    def header(self, name: str) -> str:
        return ""


class Network:
    """`lives` is the server, as far as it is there."""

    def __init__(self, faults: Faults, lives: Any) -> None:
        self._faults = faults
        self._lives = lives
        self.calls: list[CallRecord] = []

    async def call(self, who: str, name: str, request: Message, timeout_s: float = 10.0) -> Any:
        """The reply. Raises RpcFailed, also when only the reply was lost."""
        faults = self._faults
        data = request.SerializeToString()
        if faults.happens("slow"):
            await asyncio.sleep(faults.between(0.0, 0.5))
        if faults.happens("request_lost"):
            raise RpcFailed("UNAVAILABLE", "the request was lost")
        poll = name in POLLS
        if not poll and faults.happens("duplicated"):
            asyncio.get_running_loop().call_later(faults.between(0.0, 3.0), self._again, name, data, timeout_s)
        reply = await self._deliver(who, name, data, timeout_s)
        return MESSAGES[name][1].FromString(reply)

    def _again(self, name: str, data: bytes, timeout_s: float) -> None:
        """The network delivers a request a second time; nobody waits for its reply."""
        if self._lives.node is not None:
            done = asyncio.get_running_loop().create_future()
            done.add_done_callback(lambda future: future.exception())
            self._begin(CallRecord(f"{name} again"), name, data, timeout_s, done)

    def _begin(self, record: CallRecord, name: str, data: bytes, timeout_s: float, done: "asyncio.Future[Any]") -> "asyncio.Task[None]":
        self.calls.append(record)
        node = self._lives.node
        context = contextvars.copy_context()
        context.run(CURRENT.set, record)
        work = self._handle(node.handlers[name], MESSAGES[name][0].FromString(data), _Call(timeout_s), done)
        return node.spawn(work, done, context)

    async def _handle(self, handler: Any, request: Message, call: _Call, done: "asyncio.Future[Any]") -> None:
        try:
            reply = await handler(request, call)
        except (Refusal, StoreError) as error:
            shown = rpc_error(error)
            outcome: Exception = RpcFailed(shown.code.name, shown.message, shown.detail)
        except asyncio.CancelledError:
            outcome = RpcFailed("CANCELLED", "the caller has gone")
        except Exception as bug:
            self._lives.broke(f"{type(request).__name__}: INTERNAL", bug)
            outcome = RpcFailed("INTERNAL", repr(bug))
        else:
            if not done.done():
                done.set_result(reply if isinstance(reply, bytes) else reply.SerializeToString())
            return
        if not done.done():
            done.set_exception(outcome)

    async def _deliver(self, who: str, name: str, data: bytes, timeout_s: float) -> Any:
        faults, loop = self._faults, asyncio.get_running_loop()
        if self._lives.node is None:
            raise RpcFailed("UNAVAILABLE", "nobody listens")
        record = CallRecord(name)
        done: asyncio.Future[Any] = loop.create_future()
        patience = timeout_s
        disconnects = faults.happens("disconnect")
        at_a_commit = disconnects and faults.coin()
        if disconnects and not at_a_commit:
            patience = min(patience, faults.between(0.0, 5.0))
        task = self._begin(record, name, data, timeout_s, done)
        if at_a_commit:
            turns = int(faults.between(0, TURNS_AFTER_COMMIT))
            self._lives.at_next_commit.append(lambda: _soon(turns, lambda: _hang_up(task, done, record)))
        alarm = loop.call_later(patience, _hang_up, task, done, record)
        try:
            reply = await done
        except asyncio.CancelledError:
            record.fate = "disconnected"
            task.cancel()
            raise
        except RpcFailed as failure:
            if record.fate == "under way":
                record.fate = "lost" if failure.unknown else "refused"
            raise
        finally:
            alarm.cancel()
        if faults.happens("reply_lost"):
            record.fate = "lost"
            faults.note(f"{who}: the reply of {name} is lost")
            raise RpcFailed("UNAVAILABLE", "the reply was lost")
        record.fate = "delivered" if reply or name not in POLLS else "empty"
        return reply


def _soon(turns: int, act: Callable[[], None]) -> None:
    """After so many turns of the loop."""
    if turns:
        asyncio.get_running_loop().call_soon(_soon, turns - 1, act)
    else:
        act()


def _hang_up(task: "asyncio.Task[None]", done: "asyncio.Future[Any]", record: CallRecord) -> None:
    if not done.done():
        record.fate = "disconnected"
        done.set_exception(RpcFailed("DEADLINE_EXCEEDED", "the caller hangs up"))
        task.cancel()
