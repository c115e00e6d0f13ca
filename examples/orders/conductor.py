"""The conductor: starts orders, kills the application half-way, starts it again, and audits the end."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from examples.orders.activities import OrderKey
from examples.orders.display import Display
from examples.orders.history import history_lines
from examples.orders.ledger import Entry, Ledger
from examples.orders.limits import RPC_S_MAX, TASK_QUEUE, TICK_S, WORKFLOW_TASK_TIMEOUT
from examples.orders.order import ORDERS, Order, needs_approval, read_catalogue, read_orders
from examples.orders.process import ApplicationProcess
from examples.orders.report import FINISHED, Finished, expected_steps, lost_attempts, problems, states, summary
from examples.orders.workflows import OrderInput, OrderWorkflow, Outcome
from outlast.client import Client, WorkflowFailureError, WorkflowHandle
from outlast.common import WorkflowIDReusePolicy
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.service import RPCError

RPC_TIMEOUT = timedelta(seconds=RPC_S_MAX)


@dataclass(frozen=True)
class Pace:
    """How much there is to do, and how long the waits are."""

    orders_per_file: int | None
    cool_down_s: float
    start_pause_s: float
    outage_s: float


class Conductor:
    """One run of the demo in an empty directory."""

    def __init__(self, console: Console, directory: Path, pace: Pace) -> None:
        self._console = console
        self._pace = pace
        self._application = ApplicationProcess(directory)
        self._ledger = Ledger(self._application.ledger)
        self._catalogue = read_catalogue()
        self._inbox = [(path.name, order) for path in sorted(ORDERS.glob("*.json")) for order in read_orders(path)[: pace.orders_per_file]]
        self._orders = {order.id: order for _, order in self._inbox}
        self._display = Display(console, len(self._orders))
        self._handles: dict[str, WorkflowHandle[OrderWorkflow, Outcome]] = {}
        self._approved: set[str] = set()
        big = [order.id for order in self._orders.values() if needs_approval(order)]
        self._approved_early = set(big[::2])
        """The approvals that are given before the kill; the others come after it."""
        self._held_back = big[1]
        self._killed_at_ns = 0

    async def run(self) -> bool:
        """The whole demo; whether every order was finished exactly once."""
        async with self._application as application:
            with self._display:
                client = await application.start()
                self._display.say(f"started {application}, which listens on {application.address}")
                await self._start_orders(client)
                await self._until_half_done()
                await self._crash()
                await self._until_finished()
            return await self._audit()

    async def _start_orders(self, client: Client) -> None:
        self._display.say(f"starting a workflow for each of {len(self._inbox)} orders in {len({file for file, _ in self._inbox})} files")
        for file, order in self._inbox:
            try:
                self._handles[order.id] = await client.start_workflow(
                    OrderWorkflow.run,
                    OrderInput(OrderKey(file, order.id), self._pace.cool_down_s),
                    id=f"order-{order.id}",
                    task_queue=TASK_QUEUE,
                    task_timeout=WORKFLOW_TASK_TIMEOUT,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError:
                self._display.say(f"{file} has order {order.id} a second time: refused, its workflow exists already")
            await self._approve(self._approved_early, self._show())
            await asyncio.sleep(self._pace.start_pause_s)

    async def _until_half_done(self) -> None:
        effects_total = sum(len(expected_steps(order, self._catalogue)) for order in self._orders.values())
        while True:
            entries = self._show()
            effects = sum(entry.kind == "done" for entry in entries)
            if effects * 2 >= effects_total and states(self._handles, entries)[self._held_back] == "checked":
                self._display.say(f"{effects} of {effects_total} effects are made: half of the work is done")
                return
            await self._approve(self._approved_early, entries)
            await self._tick()

    async def _crash(self) -> None:
        await self._ask(self._held_back)
        self._display.say(f"[bold red]killing {self._application} with SIGKILL[/]")
        self._killed_at_ns = time.time_ns()
        await self._application.kill()
        await asyncio.sleep(self._pace.outage_s)
        await self._application.start()
        self._display.say(f"[bold green]started {self._application} again[/] on the same database file")
        await self._ask(self._held_back)

    async def _until_finished(self) -> None:
        while True:
            entries = self._show()
            reached = states(self._handles, entries).values()
            if FINISHED.issuperset(reached):
                self._display.show(reached, last=True)
                return
            await self._approve(self._orders, entries)
            await self._tick()

    async def _approve(self, order_ids: Iterable[str], entries: list[Entry]) -> None:
        reached = states(self._handles, entries)
        for order_id in order_ids:
            if needs_approval(self._orders[order_id]) and reached.get(order_id) == "checked" and order_id not in self._approved:
                await self._handles[order_id].signal(OrderWorkflow.approve, "the boss", rpc_timeout=RPC_TIMEOUT)
                self._approved.add(order_id)
                self._display.say(f"approved order {order_id} with a signal")

    async def _ask(self, order_id: str) -> None:
        status = await self._handles[order_id].query(OrderWorkflow.status, rpc_timeout=RPC_TIMEOUT)
        self._display.say(f"order {order_id}, asked with a query: “{status}”")

    async def _tick(self) -> None:
        self._application.check()
        await asyncio.sleep(TICK_S)

    def _show(self) -> list[Entry]:
        entries = self._ledger.entries()
        self._display.show(states(self._handles, entries).values())
        return entries

    async def _audit(self) -> bool:
        ends = {order_id: await self._end(handle) for order_id, handle in self._handles.items()}
        finished = {order_id: end for order_id, end in ends.items() if end is not None}
        entries = self._ledger.entries()
        told = self._most_telling(entries)
        if told.id in finished:
            self._print_history(told, finished[told.id])
        self._console.print()
        found = problems(self._orders.values(), self._catalogue, entries, finished)
        for order_id, problem in found.items():
            self._console.print(f"[bold red]order {order_id}: {problem}[/]", soft_wrap=True)
        self._console.print(summary(entries), soft_wrap=True)
        shipped = sum(end.outcome.shipped for end in finished.values())
        once = len(self._orders) - len(found)
        style = "bold red" if found else "bold green"
        self._console.print(
            f"[{style}]{once} of {len(self._orders)} orders finished once: {shipped} shipped, {len(finished) - shipped} rejected.[/]"
        )
        return not found

    async def _end(self, handle: WorkflowHandle[OrderWorkflow, Outcome]) -> Finished | None:
        try:
            outcome = await handle.result(rpc_timeout=RPC_TIMEOUT)
            return Finished(outcome, (await handle.fetch_history(rpc_timeout=RPC_TIMEOUT)).events)
        except (WorkflowFailureError, RPCError) as error:
            self._console.print(f"[bold red]{handle.id}: {error}[/]", soft_wrap=True)
            return None

    def _most_telling(self, entries: list[Entry]) -> Order:
        """The order to tell about: best one with an attempt that the kill hit, an approval, and failures."""
        hit = {entry.order_id for entry in [*lost_attempts(entries), *(entry for entry in entries if entry.kind == "repeated")]}
        failures = Counter(entry.order_id for entry in entries if entry.kind == "failed")
        return max(self._orders.values(), key=lambda order: (order.id in hit, order.id in self._approved, failures[order.id]))

    def _print_history(self, order: Order, finished: Finished) -> None:
        self._console.print(f"\nThe history of order {order.id} ({finished.outcome.detail}), one line per event:")
        before_kill = True
        for line in history_lines(finished.events):
            if before_kill and line.at_ns > self._killed_at_ns:
                before_kill = False
                self._console.print(f"{'':14}[bold red]the application was killed and started again[/]")
            style = "dim" if line.what.startswith("workflow task") else None
            self._console.print(str(line), style=style, markup=False, no_wrap=True, overflow="ignore", crop=False)
