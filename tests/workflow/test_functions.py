"""What the functions of the workflow module ask of the running workflow."""

import inspect
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from outlast import activity, workflow
from outlast.common import Priority, SearchAttributeKey, WorkflowIDReusePolicy
from outlast.exceptions import TemporalError
from tests.workflow.recording import in_workflow

SECOND = timedelta(seconds=1)


@activity.defn
async def charge(amount: int) -> str:
    return str(amount)


class _Done:
    """A handle that has its result."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()
        return self.result


@pytest.mark.parametrize(
    "call",
    [
        workflow.info,
        workflow.now,
        workflow.random,
        lambda: workflow.patched("change"),
        lambda: workflow.start_activity(charge, 1, start_to_close_timeout=SECOND),
        lambda: workflow.continue_as_new(),
        lambda: workflow.create_event_group("group"),
        workflow.unsafe.is_replaying,
    ],
)
def test_outside_of_a_workflow_nothing_of_it_works(call: Callable[[], Any]) -> None:
    with pytest.raises(TemporalError, match="Not in workflow event loop") as refused:
        call()

    assert type(refused.value) is workflow._NotInWorkflowEventLoopError
    assert not workflow.in_workflow()
    assert workflow.current_update_info() is None


async def test_an_activity_is_asked_for_with_the_defaults_of_the_official_sdk() -> None:
    with in_workflow(start_activity=_Done("paid")) as recording:
        result = await workflow.execute_activity(charge, 1, start_to_close_timeout=SECOND)

    assert result == "paid"
    assert recording.asked == [
        (
            "start_activity",
            {
                "activity": charge,
                "args": [1],
                "task_queue": None,
                "result_type": None,
                "schedule_to_close_timeout": None,
                "schedule_to_start_timeout": None,
                "start_to_close_timeout": SECOND,
                "heartbeat_timeout": None,
                "retry_policy": None,
                "cancellation_type": workflow.ActivityCancellationType.TRY_CANCEL,
                "activity_id": None,
                "versioning_intent": None,
                "summary": None,
                "event_groups": None,
                "priority": Priority.default,
            },
        )
    ]


STARTS = [name for name in workflow.__all__ if name.startswith(("start_", "execute_")) and "activity" in name]


@pytest.mark.parametrize("name", STARTS)
async def test_every_way_to_start_an_activity_passes_all_that_it_was_given(name: str) -> None:
    start = getattr(workflow, name)
    keywords = set(inspect.signature(start).parameters) - {"activity", "arg", "args"}
    given = {keyword: object() for keyword in keywords}
    asked = "start_local_activity" if "local" in name else "start_activity"

    with in_workflow(**{asked: _Done("paid")}) as recording:
        started = start(charge, args=[1, 2], **given)
        assert await started == "paid"

    [(question, arguments)] = recording.asked
    assert question == asked
    assert (arguments.pop("activity"), arguments.pop("args")) == (charge, [1, 2])
    assert given.items() <= arguments.items()
    assert arguments.keys() - given.keys() <= {"result_type"}


def test_there_are_twelve_ways_to_start_an_activity() -> None:
    assert len(STARTS) == 12


@pytest.mark.parametrize("name", ["start_child_workflow", "execute_child_workflow"])
async def test_both_ways_to_start_a_child_pass_all_that_they_were_given(name: str) -> None:
    start = getattr(workflow, name)
    keywords = set(inspect.signature(start).parameters) - {"workflow", "arg", "args", "search_attributes"}
    given = {keyword: object() for keyword in keywords}

    with in_workflow(start_child_workflow=_Done("shipped")) as recording:
        result = await start("Ship", args=[1, 2], search_attributes=None, **given)

    [(_, arguments)] = recording.asked
    assert arguments == {"result_type": None, **given, "workflow": "Ship", "args": [1, 2], "search_attributes": None}
    assert (result if name.startswith("execute") else await result) == "shipped"


async def test_a_child_without_an_id_gets_a_random_one_that_replays() -> None:
    ids = []
    for _ in range(2):
        with in_workflow(random=Random(7), start_child_workflow=_Done(None)) as recording:
            await workflow.start_child_workflow("Ship")
        arguments = dict(recording.asked)["start_child_workflow"]
        ids.append(arguments["id"])
        assert arguments["parent_close_policy"] is workflow.ParentClosePolicy.TERMINATE
        assert arguments["cancellation_type"] is workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
        assert arguments["id_reuse_policy"] is WorkflowIDReusePolicy.ALLOW_DUPLICATE

    assert ids[0] == ids[1]
    assert len(ids[0]) == 36


async def test_continuing_as_new_passes_all_that_it_was_given() -> None:
    keywords = set(inspect.signature(workflow.continue_as_new).parameters) - {"arg", "args", "search_attributes"}
    given = {keyword: object() for keyword in keywords}

    with in_workflow() as recording:
        workflow.continue_as_new("again", search_attributes=None, **given)  # type: ignore[call-overload]

    assert recording.asked == [("continue_as_new", {**given, "args": ["again"], "search_attributes": None})]


async def test_an_argument_and_a_list_of_arguments_exclude_each_other() -> None:
    with in_workflow(), pytest.raises(ValueError, match="Cannot have arg and args"):
        workflow.start_activity("charge", 1, args=[2], start_to_close_timeout=SECOND)


async def test_search_attributes_as_a_dictionary_are_deprecated() -> None:
    with in_workflow(start_child_workflow=_Done(None)), pytest.warns(DeprecationWarning, match="Dictionary-based search attributes"):
        await workflow.start_child_workflow("Ship", id="ship", search_attributes={"City": ["Lisbon"]})


async def test_an_upsert_of_no_search_attribute_asks_for_nothing() -> None:
    with in_workflow() as recording:
        workflow.upsert_search_attributes([])
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("City").value_set("Lisbon")])

    assert len(recording.asked) == 1


async def test_a_wait_may_be_given_in_seconds_or_as_a_timedelta() -> None:
    with in_workflow() as recording:
        await workflow.sleep(1.5, summary="nap")
        await workflow.sleep(timedelta(minutes=1))
        await workflow.wait_condition(bool, timeout=timedelta(minutes=1), timeout_summary="enough")
        await workflow.wait_condition(bool)

    assert [arguments for _, arguments in recording.asked] == [
        {"duration": 1.5, "summary": "nap", "event_groups": None},
        {"duration": 60.0, "summary": None, "event_groups": None},
        {"fn": bool, "timeout": 60.0, "timeout_summary": "enough", "event_groups": None},
        {"fn": bool, "timeout": None, "timeout_summary": None, "event_groups": None},
    ]


async def test_time_is_that_of_the_workflow() -> None:
    with in_workflow(time_ns=1_500_000_000):
        assert workflow.time_ns() == 1_500_000_000
        assert workflow.time() == 1.5
        assert workflow.now() == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


async def test_a_uuid_is_made_of_the_workflows_random_numbers_and_time() -> None:
    with in_workflow(random=Random(7), time_ns=1_700_000_000_123_456_789):
        four, seven = workflow.uuid4(), workflow.uuid7()
    with in_workflow(random=Random(7), time_ns=1_700_000_000_123_456_789):
        assert (workflow.uuid4(), workflow.uuid7()) == (four, seven)

    assert (four.version, seven.variant) == (4, "specified in RFC 4122")
    assert seven.int >> 80 == 1_700_000_000_123
    assert seven.int >> 76 & 0xF == 7


async def test_another_generator_follows_the_workflows_seed() -> None:
    with in_workflow(random_seed=7) as recording:
        unnamed, named = workflow.new_random(), workflow.new_random("ids")
    reseed = [arguments["callback"] for name, arguments in recording.asked if name == "register_random_seed_callback"]

    assert unnamed.random() == Random(7).random()
    assert named.random() == Random("7:ids").random()
    for callback in reseed:
        callback(8)
    assert unnamed.random() == Random(8).random()
    assert named.random() == Random("8:ids").random()


@pytest.mark.parametrize("kind", ["signal", "query", "update"])
async def test_a_handler_is_looked_up_and_exchanged_by_name_or_for_all_names(kind: str) -> None:
    def handler() -> None: ...

    with in_workflow(**{f"{kind}_handler": handler}) as recording:
        assert getattr(workflow, f"get_{kind}_handler")("pay") is handler
        assert getattr(workflow, f"get_dynamic_{kind}_handler")() is handler
        getattr(workflow, f"set_{kind}_handler")("pay", handler)
        getattr(workflow, f"set_dynamic_{kind}_handler")(None)

    asked = [(question, arguments["name"], arguments.get("handler")) for question, arguments in recording.asked]
    assert asked == [
        (f"{kind}_handler", "pay", None),
        (f"{kind}_handler", None, None),
        (f"set_{kind}_handler", "pay", handler),
        (f"set_{kind}_handler", None, None),
    ]


async def test_patches_differ_only_in_whether_they_are_deprecated() -> None:
    with in_workflow(patch=True) as recording:
        assert workflow.patched("change") is True
        assert workflow.deprecate_patch("change") is None  # type: ignore[func-returns-value]

    assert [arguments["deprecated"] for _, arguments in recording.asked] == [False, True]


LOOKS: Mapping[str, Callable[[], Any]] = {
    "info": workflow.info,
    "instance": workflow.instance,
    "extern_functions": workflow.extern_functions,
    "payload_converter": workflow.payload_converter,
    "metric_meter": workflow.metric_meter,
    "cancellation_reason": workflow.cancellation_reason,
    "memo": workflow.memo,
    "memo_value": lambda: workflow.memo_value("key", type_hint=str),
    "current_details": workflow.get_current_details,
    "has_last_completion_result": workflow.has_last_completion_result,
    "last_completion_result": workflow.get_last_completion_result,
    "last_failure": workflow.get_last_failure,
    "is_failure_exception": lambda: workflow.is_failure_exception(KeyError()),
    "random_seed": workflow.random_seed,
    "all_handlers_finished": workflow.all_handlers_finished,
    "external_workflow_handle": lambda: workflow.get_external_workflow_handle("ship", run_id="run"),
    "is_replaying": workflow.unsafe.is_replaying,
    "is_replaying_history_events": workflow.unsafe.is_replaying_history_events,
    "is_read_only": workflow.unsafe.is_read_only,
    "is_guarded": workflow.unsafe.in_sandbox,
}


@pytest.mark.parametrize("question", LOOKS)
async def test_what_a_workflow_asks_about_itself_is_answered_by_its_runtime(question: str) -> None:
    answer = object()
    with in_workflow(**{question: answer}) as recording:
        assert LOOKS[question]() is answer

    assert [asked for asked, _ in recording.asked] == [question]


async def test_memo_and_details_are_changed() -> None:
    with in_workflow() as recording:
        workflow.upsert_memo({"city": None})
        workflow.set_current_details("on its way")

    assert recording.asked == [
        ("upsert_memo", {"updates": {"city": None}, "event_groups": None}),
        ("set_current_details", {"details": "on its way"}),
    ]


def test_continue_as_new_errors_are_made_by_the_function_only() -> None:
    with pytest.raises(RuntimeError, match="Cannot instantiate ContinueAsNewError directly"):
        workflow.ContinueAsNewError()
