"""The application: a file of workflows, and what works them off, in one process that may be killed at any time."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.orders.activities import OrderActivities
from examples.orders.ledger import Ledger
from examples.orders.limits import ACTIVITIES_AT_ONCE_MAX, STICKY_TIMEOUT, TASK_QUEUE
from examples.orders.workflows import OrderWorkflow
from outlast import Outlast
from outlast.worker import Worker


async def main(database: str, listen: str, ledger: Path) -> None:
    """Go on with all orders of the file; others send new ones, signals and queries to the address."""
    steps = OrderActivities(Ledger(ledger))
    with ThreadPoolExecutor(ACTIVITIES_AT_ONCE_MAX) as threads:
        async with Outlast.open(database, listen=listen) as client:
            worker = Worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=[OrderWorkflow],
                activities=[steps.check_order, steps.reserve_stock, steps.charge, steps.ship],
                activity_executor=threads,
                max_concurrent_activities=ACTIVITIES_AT_ONCE_MAX,
                sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
            )
            await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
