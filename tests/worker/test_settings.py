"""Settings of workers that contradict one another, tuners, build ids, and what is registered."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from outlast import activity, common
from outlast.exceptions import ApplicationError
from outlast.worker import (
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkerTuner,
    load_default_build_id,
)
from outlast.worker._activity_definitions import ActivityDefinitions
from outlast.worker._config import check, tuner_of
from outlast.worker._polls import DEFAULT_POLLERS, WorkflowPolls, activity_polls, workflow_polls

VERSION = common.WorkerDeploymentVersion(deployment_name="shop", build_id="1.0")


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}"


@activity.defn
def greet_in_thread(name: str) -> str:
    return f"Hello, {name}"


@activity.defn(dynamic=True)
async def anything(args: Sequence[common.RawValue]) -> None:
    return


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activities": []}, "At least one activity, Nexus service, or workflow must be specified"),
        ({"nexus_service_handlers": [object()]}, "Nexus services are not supported yet"),
        ({"use_worker_versioning": True}, "build_id must be specified"),
        ({"build_id": "1", "deployment_config": WorkerDeploymentConfig(VERSION, True)}, "deployment_config cannot be used with build_id"),
        (
            {"deployment_config": WorkerDeploymentConfig(VERSION, False, common.VersioningBehavior.PINNED)},
            "default_versioning_behavior must be UNSPECIFIED",
        ),
        ({"max_eager_activity_reservations_per_workflow_task": 0}, "must be positive"),
        ({"max_activities_per_second": 0.0}, "must be positive"),
        ({"tuner": WorkerTuner.create_fixed(), "max_concurrent_activities": 1}, "when also specifying tuner"),
        ({"max_cached_workflows": 10, "max_concurrent_workflow_tasks": 1}, "at least 2"),
        ({"max_cached_workflows": 10, "max_concurrent_workflow_task_polls": 1}, "at least 2"),
        ({"activity_task_poller_behavior": PollerBehaviorAutoscaling(5, 4, 5)}, "minimum <= initial <= maximum"),
        ({"activity_task_poller_behavior": PollerBehaviorSimpleMaximum(0)}, "at least 1"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(settings: dict[str, Any], message: str) -> None:
    config: dict[str, Any] = {"activities": [greet], **settings}

    with pytest.raises(ValueError, match=message):
        check(WorkerConfig(**config))  # type: ignore[typeddict-item]


def test_fewer_threads_than_activities_are_warned_of() -> None:
    with ThreadPoolExecutor(2) as executor, pytest.warns(UserWarning, match="max_workers is only 2"):
        check(WorkerConfig(activities=[greet], activity_executor=executor, max_concurrent_activities=5))


def test_slots_that_are_not_given_are_a_hundred() -> None:
    tuner = tuner_of(WorkerConfig(max_concurrent_activities=7))

    assert [tuner._get_workflow_task_slot_supplier(), tuner._get_activity_task_slot_supplier()] == [
        WorkerTuner.create_fixed()._get_workflow_task_slot_supplier(),
        WorkerTuner.create_fixed(activity_slots=7)._get_activity_task_slot_supplier(),
    ]


@pytest.mark.parametrize(
    ("maximum", "ratio", "slots", "common", "sticky"),
    [(5, 0.2, 100, 1, 4), (10, 0.5, 100, 5, 5), (2, 0.2, 100, 1, 1), (4, 1.0, 100, 4, 1), (10, 0.5, 2, 1, 1), (10, 0.5, 6, 5, 1)],
)
def test_polls_are_shared_out_between_the_queues_and_never_reserve_all_slots_for_one(
    maximum: int, ratio: float, slots: int, common: int, sticky: int
) -> None:
    config = WorkerConfig(max_cached_workflows=10, max_concurrent_workflow_task_polls=maximum, nonsticky_to_sticky_poll_ratio=ratio)

    polls = workflow_polls(config, WorkerTuner.create_fixed(workflow_slots=slots), in_process=False)

    assert polls == WorkflowPolls(PollerBehaviorSimpleMaximum(common), PollerBehaviorSimpleMaximum(sticky))


def test_without_a_cache_all_polls_are_for_the_common_queue() -> None:
    polls = workflow_polls(WorkerConfig(max_cached_workflows=0), WorkerTuner.create_fixed(), in_process=False)

    assert polls == WorkflowPolls(PollerBehaviorSimpleMaximum(5), None)


def test_of_a_server_in_the_same_process_more_is_polled_unless_the_program_says_how_much() -> None:
    config = WorkerConfig(max_cached_workflows=10, workflow_task_poller_behavior=DEFAULT_POLLERS)
    many = PollerBehaviorSimpleMaximum(20)
    few = PollerBehaviorSimpleMaximum(2)

    assert workflow_polls(config, WorkerTuner.create_fixed(), in_process=True) == WorkflowPolls(many, many)
    assert workflow_polls(config, WorkerTuner.create_fixed(workflow_slots=8), in_process=True) == WorkflowPolls(few, few)
    assert activity_polls(config, WorkerTuner.create_fixed(activity_slots=1), in_process=True) == PollerBehaviorSimpleMaximum(1)
    config["workflow_task_poller_behavior"] = PollerBehaviorSimpleMaximum(5)
    assert workflow_polls(config, WorkerTuner.create_fixed(), in_process=True).common == PollerBehaviorSimpleMaximum(1)


def test_the_default_build_id_changes_with_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    source = tmp_path / "shop.py"
    module = ModuleType("shop")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "shop", module)
    ids = []
    for text in ("price = 1", "price = 2", "price = 1"):
        source.write_text(text)
        ids.append(load_default_build_id(memoize=False))

    assert ids[0] == ids[2] != ids[1]
    assert load_default_build_id() == load_default_build_id()


def test_activities_are_found_by_name_and_the_dynamic_one_for_all_others() -> None:
    definitions = ActivityDefinitions([greet, anything], None, None)

    assert definitions.find("greet", "wf").fn is greet
    assert definitions.find("unheard of", "wf").fn is anything


def test_an_activity_that_is_not_there_names_those_that_are() -> None:
    definitions = ActivityDefinitions([greet], None, None)

    with pytest.raises(ApplicationError, match=r"Activity function pay for workflow wf is not registered .* available activities: greet"):
        definitions.find("pay", "wf")
    with pytest.raises(ValueError, match="Activity function pay is not registered"):
        definitions.check("pay")


class Shop:
    @activity.defn
    async def sell(self) -> None:
        return


def test_activities_that_cannot_be_run_are_refused() -> None:
    with pytest.raises(ValueError, match="More than one activity named greet"):
        ActivityDefinitions([greet, greet], None, None)
    with pytest.raises(TypeError, match="More than one dynamic activity"):
        ActivityDefinitions([anything, anything], None, None)
    with pytest.raises(ValueError, match="is not async so an activity_executor must be present"):
        ActivityDefinitions([greet_in_thread], None, None)
    with pytest.warns(UserWarning, match="has a first parameter named self but is not bound"):
        ActivityDefinitions([Shop.sell], None, None)
