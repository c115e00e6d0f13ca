"""Values that clients, workers and workflows share."""

import functools
import pickle
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Self

import pytest
import temporalio.common as official
from temporalio.api.common.v1 import Header, Payload
from temporalio.api.common.v1 import Priority as PriorityMessage
from temporalio.api.common.v1 import RetryPolicy as RetryPolicyMessage

from outlast import common
from outlast.common import MetricMeter, Priority, RawValue, RetryPolicy, WorkerDeploymentVersion


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


POLICIES: list[dict[str, Any]] = [
    {},
    {"initial_interval": timedelta(milliseconds=1500), "maximum_interval": timedelta(minutes=1)},
    {"maximum_attempts": 3, "backoff_coefficient": 1.0, "non_retryable_error_types": ["A", "B"]},
    {"non_retryable_error_types": []},
    {"initial_interval": timedelta(0)},
    {"initial_interval": timedelta(seconds=-1)},
    {"backoff_coefficient": 0.9},
    {"maximum_interval": timedelta(seconds=-1)},
    {"maximum_interval": timedelta(milliseconds=1)},
    {"maximum_interval": timedelta(0)},
    {"maximum_attempts": -1},
    {"maximum_attempts": 1, "backoff_coefficient": 0.0, "initial_interval": timedelta(seconds=-1)},
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_retry_policies_are_written_and_refused_as_by_the_official_sdk(policy: dict[str, Any]) -> None:
    def written(module: ModuleType) -> RetryPolicyMessage:
        message = RetryPolicyMessage()
        module.RetryPolicy(**policy).apply_to_proto(message)
        return message

    ours = _outcome(lambda: written(common))

    assert ours == _outcome(lambda: written(official))
    if isinstance(ours, RetryPolicyMessage):
        assert vars(RetryPolicy.from_proto(ours)) == vars(official.RetryPolicy.from_proto(ours))


def test_a_retry_policy_without_a_longest_pause_has_none_when_it_is_read() -> None:
    assert RetryPolicy.from_proto(RetryPolicyMessage(backoff_coefficient=2)).maximum_interval is None


PRIORITIES: list[dict[str, Any]] = [
    {},
    {"priority_key": 1, "fairness_key": "tenant", "fairness_weight": 2.5},
    {"priority_key": 0},
    {"priority_key": -1},
    {"priority_key": "1"},
    {"priority_key": 1.0},
    {"fairness_key": ""},
]


@pytest.mark.parametrize("priority", PRIORITIES, ids=str)
def test_priorities_are_written_read_and_refused_as_by_the_official_sdk(priority: dict[str, Any]) -> None:
    ours = _outcome(lambda: Priority(**priority)._to_proto())

    assert ours == _outcome(lambda: official.Priority(**priority)._to_proto())
    if isinstance(ours, PriorityMessage):
        assert vars(Priority._from_proto(ours)) == vars(official.Priority._from_proto(ours))
    assert Priority.default == Priority()


def test_versions_have_one_spelling() -> None:
    version = WorkerDeploymentVersion("name", "build.1")

    assert version.to_canonical_string() == "name.build.1"
    assert WorkerDeploymentVersion.from_canonical_string("name.build.1") == version
    with pytest.raises(ValueError, match="Cannot parse version string: name"):
        WorkerDeploymentVersion.from_canonical_string("name")


def test_versioning_overrides_are_written_as_by_the_official_sdk() -> None:
    def written(module: ModuleType) -> list[bytes]:
        version = module.WorkerDeploymentVersion("name", "build")
        overrides = (
            module.PinnedVersioningOverride(version),
            module.AutoUpgradeVersioningOverride(),
            module.OneTimeVersioningOverride(version),
        )
        return [override._to_proto().SerializeToString(deterministic=True) for override in overrides]

    assert written(common) == written(official)


def test_a_raw_value_can_be_pickled() -> None:
    raw = RawValue(Payload(metadata={"encoding": b"x"}, data=b"y"))

    assert pickle.loads(pickle.dumps(raw)) == raw
    assert pickle.dumps(raw).count(b"Payload") == 0  # the bytes of the message, and no class of a library
    for state, error in ((b"2", ValueError), ("1", TypeError)):
        with pytest.raises(error):
            raw.__setstate__(state)


class _Called:
    def __call__(self, a: int, b: str = "") -> bool:
        return True

    def method(self, a: int) -> None: ...

    def of_itself(self: Self, a: int) -> Self:
        return self

    @staticmethod
    def static(a: int) -> int:
        return a

    def annotated_self(self: "_Called", a: int) -> None: ...


def _plain(a: int, b: str | None, c=None) -> list[int]:  # type: ignore[no-untyped-def]
    return []


def _keyword_only(a: int, *, b: str) -> int:
    return a


def _variable(*args: int) -> int:
    return 1


def _nothing(): ...  # type: ignore[no-untyped-def]


def _unknown(a: "Missing") -> int:  # type: ignore[name-defined]  # noqa: F821
    return 1


@pytest.mark.parametrize(
    "function",
    [
        _plain,
        _keyword_only,
        _variable,
        _nothing,
        _unknown,
        lambda a, b: a,
        _Called(),
        _Called,
        _Called().method,
        _Called.method,
        _Called.of_itself,
        _Called.static,
        _Called.annotated_self,
        functools.partial(_plain, 1),
        len,
        typing.cast(Any, int),
    ],
    ids=lambda function: getattr(function, "__qualname__", type(function).__qualname__),
)
def test_type_hints_are_those_that_the_official_sdk_finds(function: Any) -> None:
    assert _outcome(lambda: common._type_hints_from_func(function)) == _outcome(lambda: official._type_hints_from_func(function))


def test_one_argument_or_several_but_not_both() -> None:
    assert common._arg_or_args(1, []) == [1]
    assert common._arg_or_args(None, []) == [None]
    assert common._arg_or_args(common._arg_unset, [1, 2]) == [1, 2]
    with pytest.raises(ValueError, match="Cannot have arg and args"):
        common._arg_or_args(1, [2])


def test_headers_are_copied_into_a_message() -> None:
    header = Header()

    common._apply_headers({"a": Payload(data=b"x")}, header.fields)
    common._apply_headers(None, header.fields)

    assert dict(header.fields) == {"a": Payload(data=b"x")}


def test_search_attributes_without_types_are_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="Dictionary-based search attributes are deprecated"):
        common._warn_on_deprecated_search_attributes({"a": [1]})
    common._warn_on_deprecated_search_attributes({})
    common._warn_on_deprecated_search_attributes(common.TypedSearchAttributes.empty)


def test_updates_set_a_value_or_remove_it() -> None:
    key = common.SearchAttributeKey.for_datetime("at")
    moment = datetime(2024, 2, 29, tzinfo=UTC)

    assert (key.value_set(moment).key, key.value_set(moment).value) == (key, moment)
    assert key.value_unset().value is None
    assert key.value_set(moment) == common.SearchAttributeKey.for_datetime("at").value_set(moment)


def test_the_meter_that_records_nothing_knows_what_it_was_told() -> None:
    meter = MetricMeter.noop.with_additional_attributes({"a": 1})
    counter = meter.create_counter("name", "description", "unit")

    counter.add(1, {"b": 2})

    assert (counter.name, counter.description, counter.unit) == ("name", "description", "unit")
    assert counter.with_additional_attributes({"b": 2}) is counter
