"""The worker process: runs the workflow and its activities until it is stopped."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from examples.orders.activities import OrderActivities
from examples.orders.ledger import Ledger
from examples.orders.limits import ACTIVITIES_AT_ONCE_MAX, STICKY_TIMEOUT, TASK_QUEUE
from examples.orders.workflows import OrderWorkflow


async def main(address: str, ledger: Path) -> None:
    """Poll the server at that address."""
    activities = OrderActivities(Ledger(ledger))
    with ThreadPoolExecutor(ACTIVITIES_AT_ONCE_MAX) as threads:
        worker = Worker(
            await Client.connect(address),
            task_queue=TASK_QUEUE,
            workflows=[OrderWorkflow],
            activities=[activities.check_order, activities.reserve_stock, activities.charge, activities.ship],
            activity_executor=threads,
            max_concurrent_activities=ACTIVITIES_AT_ONCE_MAX,
            sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        )
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
