"""A fake owner of work, a clock that is moved by hand, and a way to let the event loop turn."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import TypeVar

from outlast.server.handover import Poller, QueryWork, QueueKind, QueueName
from outlast.server.matching.matching import Matching

SECOND = 1_000_000_000
NOON = 1_800_000_000 * SECOND
QUEUE = QueueName("namespace", "orders", QueueKind.ACTIVITY)
STICKY = QueueName("namespace", "worker-1", QueueKind.WORKFLOW, sticky=True)
LONG_S = 3600.0

T = TypeVar("T")
FakeMatching = Matching[str, str]


class StoreIsDown(Exception):
    """The setback that a failing claim raises."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class FakeOwner:
    """Says yes once for each work, after `turns` turns of the event loop; offers again what is released."""

    def __init__(self, *, turns: int = 0) -> None:
        self.turns = turns
        self.matching: FakeMatching | None = None
        self.gone: set[Hashable] = set()
        self.failures_left = 0
        self.holders: dict[Hashable, Poller] = {}
        self.claims_begun: list[Hashable] = []
        self.claims_ended: list[Hashable] = []
        self.released: list[Hashable] = []
        self.asked_for_more: list[QueueName] = []

    async def claim(self, queue: QueueName, work: Hashable, poller: Poller) -> str | None:
        self.claims_begun.append(work)
        for _ in range(self.turns):
            await turn_of_the_loop()
        self.claims_ended.append(work)
        if self.failures_left:
            self.failures_left -= 1
            raise StoreIsDown
        if isinstance(work, QueryWork):
            return f"query {work.query_id}"
        if work in self.gone or work in self.holders:
            return None
        self.holders[work] = poller
        return f"task {work}"

    async def release(self, queue: QueueName, work: Hashable, poller: Poller) -> None:
        for _ in range(self.turns):
            await turn_of_the_loop()
        assert self.holders.pop(work) == poller
        self.released.append(work)
        if self.matching is not None:
            self.matching.offer(queue, work)

    def drained(self, queue: QueueName) -> None:
        self.asked_for_more.append(queue)


async def turn_of_the_loop() -> None:
    """Wait for one callback, as a wait for a commit would."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    loop.call_soon(lambda: done.done() or done.set_result(None))
    await done


async def settle(turns: int = 20) -> None:
    """Let everything that can run, run."""
    for _ in range(turns):
        await asyncio.sleep(0)


def poller(name: str = "worker") -> Poller:
    return Poller(identity=name, request_id=f"request of {name}")


def with_matching(scenario: Callable[[FakeMatching, FakeOwner, Clock], Coroutine[object, None, T]], *, claim_turns: int = 0) -> T:
    """Run a scenario on a fresh Matching, and close it."""

    async def run() -> T:
        owner, clock = FakeOwner(turns=claim_turns), Clock()
        matching = FakeMatching(clock)
        matching.bind(owner)
        owner.matching = matching
        try:
            return await scenario(matching, owner, clock)
        finally:
            await matching.close()

    return asyncio.run(run())
