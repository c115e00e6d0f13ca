"""What must be done is tried again until the store is in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from outlast.engine.refusals import Busy
from outlast.server.shard.limits import DELIVERY_BACKOFF_MAX_S, DELIVERY_BACKOFF_S
from outlast.server.store.errors import StoreError

logger = logging.getLogger(__name__)


async def insist(attempt: Callable[[], Awaitable[None]], what: object, *, first_pause_s: float = 0.0) -> None:
    """Do it, and again after a growing pause as long as the store, or a busy workflow, refuses."""
    pause = DELIVERY_BACKOFF_S
    if first_pause_s:
        await asyncio.sleep(first_pause_s)
    while True:
        try:
            await attempt()
            return
        except (StoreError, Busy) as error:
            logger.warning("%s: tried again in %.1f s: %s", what, pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, DELIVERY_BACKOFF_MAX_S)
