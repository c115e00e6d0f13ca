"""Reading histories: pages, tokens, order, waiting, the close-event filter."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice import v1 as api

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.world import World

CLOSE = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"


async def read(w: World, reverse: bool = False, metadata: tuple[tuple[str, str], ...] = (), seconds: float = 15, **fields: Any) -> Any:
    """Read one page."""
    usual = {"namespace": w.namespace, "execution": w.execution()}
    method = "GetWorkflowExecutionHistoryReverse" if reverse else "GetWorkflowExecutionHistory"
    request = getattr(api, f"{method}Request")(**{k: x for k, x in (usual | fields).items() if x is not None})
    return await w.call(method, request, seconds, metadata=metadata)


async def pages(w: World, size: int, reverse: bool = False) -> None:
    """Read all pages of a size and note the event ids of each."""
    ids, token = [], b""
    for _ in range(30):
        method = "GetWorkflowExecutionHistoryReverse" if reverse else "GetWorkflowExecutionHistory"
        request = getattr(api, f"{method}Request")(
            namespace=w.namespace, execution=w.execution(), maximum_page_size=size, next_page_token=token
        )
        reply = await w.call(method, request, record=False)
        ids.append([event.event_id for event in reply.history.events])
        token = reply.next_page_token
        if not token:
            break
    w.note(f"pages of {size}{' reversed' if reverse else ''}", ids)


async def busy(w: World) -> None:
    """Make a closed history of several batches."""
    await w.start()
    await w.step(v.marker(), v.activity("a", w.queue), v.marker())
    await w.activity("Completed", await w.poll_activity(record=False))
    task = await w.poll(record=False)
    await w.signal()
    await w.complete(task, v.timer("t", 60))
    await w.step(v.complete())


@scenario(
    Difference(
        "* pages of *.value*",
        "the real server follows a page that ends with the history by an empty one; here the last page is the last",
    )
)
async def paged(w: World) -> None:
    """Page sizes count batches, forward and reversed."""
    await busy(w)
    for size in (0, 1, 2, 3, 4, 5, 1000):
        await pages(w, size)
        await pages(w, size, reverse=True)
    await read(w, reverse=True)


@scenario()
async def page_errors(w: World) -> None:
    """Bad reads."""
    first = await w.start()
    for reverse in (False, True):
        await read(w, reverse, execution=None)
        await read(w, reverse, execution=w.execution(""))
        await read(w, reverse, execution=w.execution(w.name("unknown")))
        await read(w, reverse, execution=w.execution(run_id="not a uuid"))
        await read(w, reverse, execution=w.execution(run_id=UNKNOWN_RUN))
        await read(w, reverse, next_page_token=b"garbage")
        await read(w, reverse, namespace="nope-ns")
        await read(w, reverse, maximum_page_size=-1)
    await w.step(v.marker())
    page = await read(w, maximum_page_size=1)
    await read(w, maximum_page_size=1, next_page_token=page.next_page_token, execution=w.execution(run_id=UNKNOWN_RUN))
    await read(w, maximum_page_size=1, next_page_token=page.next_page_token, execution=w.execution(run_id=first.run_id))


@scenario()
async def token_pins_the_run(w: World) -> None:
    """A page token stays with its run after continue-as-new."""
    await w.start()
    await w.step(v.marker())
    page = await read(w, maximum_page_size=1)
    await w.signal()
    await asyncio.sleep(1)
    await w.step(v.continue_as_new())
    await read(w, next_page_token=page.next_page_token)
    await w.history()


@scenario()
async def close_filter(w: World) -> None:
    """The close-event filter on an open and on a closed run."""
    await w.start()
    await read(w, history_event_filter_type=CLOSE)
    await w.step(v.complete())
    await read(w, history_event_filter_type=CLOSE)
    await read(w, history_event_filter_type=CLOSE, wait_new_event=True)
    await read(w, wait_new_event=True)


@scenario()
async def wait_for_close(w: World) -> None:
    """A reader that waits for the close event gets it when it happens."""
    await w.start()
    waiting = asyncio.create_task(read(w, history_event_filter_type=CLOSE, wait_new_event=True))
    await asyncio.sleep(0.3)
    await w.step(v.complete())
    await waiting


@scenario()
async def wait_for_events(w: World) -> None:
    """A reader that waits gets what there is, then each new batch, and no token after the end."""
    await w.start()
    page = await read(w, wait_new_event=True)
    waiting = asyncio.create_task(read(w, wait_new_event=True, next_page_token=page.next_page_token))
    await asyncio.sleep(0.3)
    task = await w.poll(record=False)
    page = await waiting
    waiting = asyncio.create_task(read(w, wait_new_event=True, next_page_token=page.next_page_token))
    await asyncio.sleep(0.3)
    await w.complete(task, v.complete())
    await waiting


@scenario()
async def wait_in_vain(w: World) -> None:
    """A reader whose wait ends before anything happens gets an empty page and a token."""
    await w.start()
    page = await read(w, wait_new_event=True)
    begun = asyncio.get_running_loop().time()
    await read(w, wait_new_event=True, next_page_token=page.next_page_token, seconds=4)
    w.note("seconds", round(asyncio.get_running_loop().time() - begun))


@scenario()
async def close_event_with_successor(w: World) -> None:
    """Without `follows-next-run-id` a close event with a successor is shown as continue-as-new."""
    first = await w.start(retry_policy=v.retry(initial=60))
    await w.step(v.fail())
    address = w.execution(run_id=first.run_id)
    await read(w, history_event_filter_type=CLOSE, execution=address)
    follows = (("supported-features", "follows-next-run-id"),)
    await read(w, history_event_filter_type=CLOSE, execution=address, metadata=follows)
    await read(w, execution=address)


@scenario()
async def virtual_events(w: World) -> None:
    """The virtual events of a transient attempt are shown, but not reversed and not to the command line client."""
    await w.start()
    await w.fail_task(await w.poll(record=False))
    await read(w)
    await w.poll(record=False)
    await read(w)
    await read(w, reverse=True)
    await read(w, metadata=(("client-name", "temporal-cli"), ("client-version", "1.9.1")))
