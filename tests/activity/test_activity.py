"""What makes a function an activity, and what an activity can ask of its worker."""

import asyncio
import contextlib
import contextvars
import dataclasses
import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outlast import activity
from outlast.common import MetricMeter, Priority, RawValue
from outlast.converter import PayloadConverter


@activity.defn(name="charge-card", no_thread_cancel_exception=True)
def charge(amount: int, currency: str) -> bool:
    return bool(amount and currency)


class Warehouse:
    @activity.defn
    async def pick(self, item: str) -> str:
        return item


@activity.defn
class Ship:
    async def __call__(self, address: str) -> int:
        return len(address)


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> None: ...


def test_a_definition_holds_all_that_is_known_of_an_activity() -> None:
    assert activity._Definition.must_from_callable(charge) == activity._Definition(
        name="charge-card",
        fn=charge,
        is_async=False,
        no_thread_cancel_exception=True,
        arg_types=[int, str],
        ret_type=bool,
    )
    assert activity._Definition.must_from_callable(anything).name is None
    assert activity._Definition.must_from_callable(Ship).is_async
    assert activity._Definition.must_from_callable(Ship).arg_types == [str]


def test_a_method_is_an_activity_that_is_called_on_its_object() -> None:
    warehouse = Warehouse()
    definition = activity._Definition.must_from_callable(warehouse.pick)

    assert (definition.name, definition.is_async, definition.arg_types) == ("pick", True, [str])
    assert definition.fn == warehouse.pick


def test_an_activity_is_named_by_its_function() -> None:
    assert activity._Definition.get_name_and_result_type(charge) == ("charge-card", bool)
    assert activity._Definition.get_name_and_result_type(Warehouse.pick) == ("pick", str)
    assert activity._Definition.get_name_and_result_type("other") == ("other", None)


def test_what_is_no_activity_is_refused_with_a_hint() -> None:
    def plain() -> None: ...

    for look in (activity._Definition.must_from_callable, activity._Definition.get_name_and_result_type):
        with pytest.raises(TypeError, match=r"Activity plain missing attributes, was it decorated with @activity.defn\?"):
            look(plain)
    with pytest.raises(ValueError, match="definition has no name"):
        activity._Definition.get_name_and_result_type(anything)
    with pytest.raises(TypeError, match="must be a string or callable"):
        activity._Definition.get_name_and_result_type(1)  # type: ignore[arg-type]


def test_an_activity_is_defined_once_and_takes_what_it_takes_by_position() -> None:
    with pytest.raises(ValueError, match="already contains activity definition"):
        activity.defn(charge)
    with pytest.raises(TypeError, match="cannot have keyword-only arguments"):

        @activity.defn
        def by_name(*, amount: int) -> None: ...

    with pytest.raises(TypeError, match="Dynamic activity must accept a single Sequence"):

        @activity.defn(dynamic=True)
        def by_type(amount: int) -> None: ...


INFO = activity.Info(
    activity_id="5",
    activity_type="charge-card",
    attempt=2,
    current_attempt_scheduled_time=datetime.now(UTC),
    heartbeat_details=[],
    heartbeat_timeout=None,
    is_local=False,
    namespace="default",
    schedule_to_close_timeout=None,
    scheduled_time=datetime.now(UTC),
    start_to_close_timeout=timedelta(seconds=10),
    started_time=datetime.now(UTC),
    task_queue="orders",
    task_token=b"token",
    workflow_id="order-1",
    workflow_namespace="default",
    workflow_run_id="run-1",
    workflow_type="Order",
    priority=Priority.default,
    retry_policy=None,
)
DETAILS = {
    "activity_id": "5",
    "activity_type": "charge-card",
    "attempt": 2,
    "namespace": "default",
    "task_queue": "orders",
    "workflow_id": "order-1",
    "workflow_run_id": "run-1",
    "workflow_type": "Order",
}


def _event(in_loop: bool = False) -> activity._CompositeEvent:
    return activity._CompositeEvent(None if in_loop else threading.Event(), asyncio.Event() if in_loop else None)


def _context(in_loop: bool = False, **changes: Any) -> activity._Context:
    given: dict[str, Any] = {
        "info": lambda: INFO,
        "heartbeat": None,
        "cancelled_event": _event(in_loop),
        "worker_shutdown_event": _event(in_loop),
        "shield_thread_cancel_exception": None,
        "payload_converter_class_or_instance": PayloadConverter.default,
        "runtime_metric_meter": None,
        "client": None,
        "cancellation_details": activity._ActivityCancellationDetailsHolder(),
    }
    return activity._Context(**given | changes)


@contextlib.contextmanager
def _running(context: activity._Context) -> Iterator[activity._Context]:
    token = activity._Context.set(context)
    try:
        yield context
    finally:
        activity._Context.reset(token)


def test_outside_of_an_activity_nothing_of_it_works() -> None:
    assert not activity.in_activity()
    for ask in (activity.info, activity.heartbeat, activity.is_cancelled, activity.client, activity.payload_converter):
        with pytest.raises(RuntimeError, match="Not in activity context"):
            ask()


def test_an_activity_knows_itself() -> None:
    with _running(_context()):
        assert activity.in_activity()
        assert activity.info() is INFO
        assert activity.info().in_workflow
        assert activity.payload_converter() is PayloadConverter.default
        assert activity.cancellation_details() is None
    assert not dataclasses.replace(INFO, workflow_id=None).in_workflow


def test_a_heartbeat_takes_its_details_to_the_worker() -> None:
    beats: list[tuple[Any, ...]] = []
    with _running(_context(heartbeat=lambda *details: beats.append(details))):
        activity.heartbeat("half", 50)
        activity.heartbeat()
    with _running(_context()), pytest.raises(RuntimeError, match="only execute heartbeat after interceptor init"):
        activity.heartbeat()

    assert beats == [("half", 50), ()]


def test_an_activity_that_is_not_async_blocks_until_it_is_cancelled_or_the_worker_stops() -> None:
    with _running(_context()) as context:
        activity.wait_for_cancelled_sync(timedelta(0))
        assert not activity.is_cancelled()
        context.cancelled_event.set()
        context.worker_shutdown_event.set()
        context.cancellation_details.details = activity.ActivityCancellationDetails(cancel_requested=True)

        activity.wait_for_cancelled_sync()
        activity.wait_for_worker_shutdown_sync()
        assert (activity.is_cancelled(), activity.is_worker_shutdown()) == (True, True)
        assert activity.cancellation_details() == activity.ActivityCancellationDetails(cancel_requested=True)


async def test_only_an_async_activity_can_await_its_cancellation() -> None:
    with _running(_context()):
        for wait in (activity.wait_for_cancelled, activity.wait_for_worker_shutdown):
            with pytest.raises(RuntimeError, match="not in async activity"):
                await wait()

    with _running(_context(in_loop=True)) as context:
        waiting = asyncio.gather(activity.wait_for_cancelled(), activity.wait_for_worker_shutdown())
        context.cancelled_event.set()
        context.worker_shutdown_event.set()
        await waiting
        assert (activity.is_cancelled(), activity.is_worker_shutdown()) == (True, True)


async def test_a_thread_of_an_async_activity_hears_of_the_cancellation_too() -> None:
    with _running(_context(in_loop=True)) as context:
        in_context = contextvars.copy_context()
        waiting = asyncio.get_running_loop().run_in_executor(None, in_context.run, activity.wait_for_cancelled_sync)
        while context.cancelled_event.thread_event is None:
            await asyncio.sleep(0)
        assert not waiting.done()
        context.cancelled_event.set()
        await waiting
        await asyncio.to_thread(activity.wait_for_cancelled_sync)


def test_a_thread_that_comes_after_the_cancellation_does_not_wait() -> None:
    event = activity._CompositeEvent(None, asyncio.Event())
    event.set()

    event.wait_sync(0)

    assert event.thread_event is not None
    assert event.thread_event.is_set()


def test_a_shield_is_the_workers_where_there_is_one() -> None:
    entered: list[str] = []

    @contextlib.contextmanager
    def shield() -> Iterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    with _running(_context(shield_thread_cancel_exception=shield)), activity.shield_thread_cancel_exception():
        assert entered == ["in"]
    with _running(_context()), activity.shield_thread_cancel_exception():
        pass

    assert entered == ["in", "out"]


def test_only_async_activities_have_a_client() -> None:
    with _running(_context()), pytest.raises(RuntimeError, match="No client available"):
        activity.client()
    with _running(_context(client="the client")):
        assert activity.client() == "the client"


def test_a_converter_may_come_as_a_class() -> None:
    class Own(PayloadConverter):
        def to_payloads(self, values: Sequence[Any]) -> Any: ...
        def from_payloads(self, payloads: Any, type_hints: Any = None) -> Any: ...

    with _running(_context(payload_converter_class_or_instance=Own)):
        assert isinstance(activity.payload_converter(), Own)
        assert activity.payload_converter() is activity.payload_converter()


def test_metrics_bear_what_activity_they_come_from() -> None:
    given: list[Any] = []

    class Meter:
        def with_additional_attributes(self, attributes: Any) -> MetricMeter:
            given.append(attributes)
            return MetricMeter.noop

    with _running(_context(runtime_metric_meter=Meter())):
        assert activity.metric_meter() is activity.metric_meter() is MetricMeter.noop
    with _running(_context()), pytest.raises(RuntimeError, match="not available in non-threaded"):
        activity.metric_meter()

    assert given == [{"namespace": "default", "task_queue": "orders", "activity_type": "charge-card"}]


def test_completing_later_leaves_the_activity_past_all_handlers_of_errors() -> None:
    with pytest.raises(activity._CompleteAsyncError) as left:
        activity.raise_complete_async()

    assert not isinstance(left.value, Exception)


def test_a_record_says_what_activity_it_comes_from(caplog: pytest.LogCaptureFixture) -> None:
    caller_extra = {"mine": 1}
    with caplog.at_level(logging.INFO, "outlast.activity"), _running(_context()):
        activity.logger.info("charged %s", 5, extra=caller_extra)
    activity.logger.info("outside")

    record: Any = caplog.records[0]
    assert record.getMessage() == f"charged 5 ({DETAILS})"
    assert (record.temporal_activity, record.mine) == (DETAILS, 1)
    assert not hasattr(record, "activity_info")
    assert caller_extra == {"mine": 1}


def test_what_a_record_says_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    logger = activity.LoggerAdapter(activity.logger.base_logger, None)
    logger.activity_info_on_message = logger.activity_info_on_extra = False
    logger.full_activity_info_on_extra = True
    with caplog.at_level(logging.INFO, "outlast.activity"), _running(_context()):
        logger.info("charged")

    record: Any = caplog.records[0]
    assert record.getMessage() == "charged"
    assert record.activity_info is INFO
    assert not hasattr(record, "temporal_activity")
