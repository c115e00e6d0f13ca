"""`python -m examples.orders`: orders finish once, although the process that works on them is killed half-way."""

import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from examples.orders.conductor import Conductor, Pace
from examples.orders.limits import (
    COOL_DOWN_S,
    DEMO_S_MAX,
    OUTAGE_S,
    QUICK_COOL_DOWN_S,
    QUICK_ORDERS_PER_FILE,
    QUICK_OUTAGE_S,
    QUICK_START_PAUSE_S,
    START_PAUSE_S,
)
from examples.orders.process import CannotStart
from outlast.service import RPCError

FULL = Pace(None, COOL_DOWN_S, START_PAUSE_S, OUTAGE_S)
QUICK = Pace(QUICK_ORDERS_PER_FILE, QUICK_COOL_DOWN_S, QUICK_START_PAUSE_S, QUICK_OUTAGE_S)


async def perform(console: Console, directory: Path, pace: Pace) -> bool:
    """Run the demo within its deadline; Ctrl-C and SIGTERM cancel it, and what it started ends with it."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):
        for stop in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
    async with asyncio.timeout(DEMO_S_MAX):
        return await Conductor(console, directory, pace).run()


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer orders, shorter waits.")] = False,
    directory: Annotated[Path | None, typer.Option(help="Keep database, ledger and logs here; must be empty or not exist.")] = None,
) -> None:
    """Work off orders in a process with Outlast embedded, and kill it half-way."""
    console = Console(highlight=False)
    if directory is not None and directory.exists() and any(directory.iterdir()):
        raise typer.BadParameter(f"{directory} is not empty", param_hint="--directory")
    kept = directory or Path(tempfile.mkdtemp(prefix="outlast-orders-"))
    kept.mkdir(parents=True, exist_ok=True)
    done = False
    try:
        done = asyncio.run(perform(console, kept.resolve(), QUICK if quick else FULL))
    except CannotStart as error:
        console.print(f"[bold red]{error}[/]", soft_wrap=True)
    except RPCError as error:
        console.print(f"[bold red]the application did not do as it was asked: {error}[/]", soft_wrap=True)
    except TimeoutError:
        console.print(f"[bold red]not finished after {DEMO_S_MAX:.0f} s[/]")
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("interrupted; the application is stopped")
    if done and directory is None:
        shutil.rmtree(kept)
    else:
        console.print(f"Database, ledger and logs are in {kept}")
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    typer.run(main)
