"""The progress display: orders by state, as bars on a terminal and as plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import get_args

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from examples.orders.report import State

BAR_WIDTH = 40
LINE_PAUSE_S = 1.0
"""Plain lines come no faster than this."""


class Display:
    """Shows how many orders are in which state; text goes above the bars."""

    def __init__(self, console: Console, orders_total: int) -> None:
        self._console = console
        self._orders_total = orders_total
        self._start = time.monotonic()
        self._last_line = ""
        self._last_line_at = float("-inf")
        self._live = Live(_bars(Counter(), orders_total), console=console, auto_refresh=False) if console.is_terminal else None

    def say(self, text: str) -> None:
        """A sentence about what happens now."""
        self._console.print(f"[cyan]{time.monotonic() - self._start:5.1f}s[/]  {text}", soft_wrap=True)

    def show(self, states: Iterable[State], last: bool = False) -> None:
        """The current states of the started orders; the last call is shown even right after another."""
        counts = Counter(states)
        if self._live is not None:
            self._live.update(_bars(counts, self._orders_total), refresh=True)
            return
        line = ", ".join(f"{counts[state]} {state}" for state in get_args(State) if counts[state])
        if line != self._last_line and (last or time.monotonic() - self._last_line_at >= LINE_PAUSE_S):
            self._last_line, self._last_line_at = line, time.monotonic()
            self.say(line)

    def __enter__(self) -> "Display":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()


def _bars(counts: Counter[State], orders_total: int) -> Table:
    table = Table.grid(padding=(0, 1))
    for state in get_args(State):
        style = "red" if state == "rejected" else "green"
        bar = ProgressBar(orders_total, counts[state], BAR_WIDTH, complete_style=style, finished_style=style)
        table.add_row(f"       {state:<9}", bar, f"{counts[state]:>3}")
    return table
