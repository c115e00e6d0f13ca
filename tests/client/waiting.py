"""For what a server does a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from outlast.service import RPCError

Value = TypeVar("Value")
PATIENCE_S = 60


async def eventually(ask: Callable[[], Awaitable[Value]], is_right: Callable[[Value], bool] = lambda value: True) -> Value:
    """Ask until the answer is right, and give it; errors of the server are answers that are wrong."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if is_right(value := await ask()):
                    return value
            except RPCError:
                pass
            await asyncio.sleep(0.05)
