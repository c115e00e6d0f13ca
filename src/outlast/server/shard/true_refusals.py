"""A refusal is an answer too: it speaks of a state, and leaves when that state is durable."""

from collections.abc import Awaitable, Callable

from outlast.engine.refusals import Refusal


class TrueRefusals:
    """Around a decision: a refusal waits until `settled`; when that fails, the failure leaves in its place.

    A generator would do, at ten times the price, and every request comes through here.
    """

    __slots__ = ("_settled",)

    def __init__(self, settled: Callable[[], Awaitable[None]]) -> None:
        self._settled = settled

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refusal):
            await self._settled()
