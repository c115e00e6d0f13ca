"""Activities that run in threads and in other processes."""

import os
import threading
from typing import Any

from outlast import activity
from outlast.exceptions import ApplicationError


@activity.defn
def thread_name() -> str:
    return threading.current_thread().name


@activity.defn
def process_id() -> int:
    return os.getpid()


@activity.defn
def fails_after_heartbeat() -> list[Any]:
    if activity.info().attempt == 1:
        activity.heartbeat("half way")
        raise ApplicationError("again")
    return list(activity.info().heartbeat_details)


@activity.defn
def until_cancelled() -> str:
    while not activity.is_cancelled():
        activity.heartbeat()
        activity.wait_for_cancelled_sync(0.01)
    return "saw it"


@activity.defn
def dies() -> None:
    os._exit(1)


@activity.defn
async def add_one(x: int) -> int:
    return x + 1
