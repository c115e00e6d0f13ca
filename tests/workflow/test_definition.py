"""What makes a class a workflow, and what does not."""

import inspect
import typing
from collections.abc import Sequence
from typing import Any

import pytest

from outlast import workflow
from outlast.common import RawValue, VersioningBehavior


class Base:
    @workflow.run
    async def run(self, name: str) -> str:
        raise NotImplementedError

    @workflow.signal
    def inherited(self) -> None: ...


@workflow.defn(name="order", versioning_behavior=VersioningBehavior.PINNED, failure_exception_types=[KeyError], sandboxed=False)
class Order(Base):
    @workflow.run
    async def run(self, name: str) -> str:
        return name

    @workflow.signal(name="pay", description="money came", unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def on_payment(self, amount: int) -> None: ...

    @workflow.signal(dynamic=True)
    def any_signal(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.query(description="where it stands")
    def status(self) -> str:
        return "new"

    @workflow.query(dynamic=True)
    def any_query(self, name: str, args: typing.Sequence[RawValue]) -> str:
        return name

    @workflow.update
    async def change(self, address: str, express: bool) -> int:
        return 1

    @change.validator
    def check_change(self, address: str, express: bool) -> None: ...

    @workflow.update(name="cancel")
    def on_cancel(self) -> None: ...


def test_a_definition_holds_all_that_is_known_of_a_workflow() -> None:
    definition = workflow._Definition.must_from_class(Order)

    assert (definition.name, definition.cls, definition.run_fn) == ("order", Order, Order.run)
    assert (definition.arg_types, definition.ret_type) == ([str], str)
    assert not definition.sandboxed
    assert definition.failure_exception_types == [KeyError]
    assert definition.versioning_behavior is VersioningBehavior.PINNED
    assert not definition.init_takes_args
    assert set(definition.signals) == {"inherited", "pay", None}
    assert set(definition.queries) == {"status", None}
    assert set(definition.updates) == {"change", "cancel"}


def test_a_handler_keeps_its_types_policy_and_description() -> None:
    definition = workflow._Definition.must_from_class(Order)

    pay, change, status = definition.signals["pay"], definition.updates["change"], definition.queries["status"]
    assert pay == workflow._SignalDefinition(
        name="pay",
        fn=Order.on_payment,
        is_method=True,
        unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON,
        description="money came",
        arg_types=[int],
    )
    assert (pay.is_async, definition.signals["inherited"].is_async) == (True, False)
    assert (change.arg_types, change.ret_type, change.validator) == ([str, bool], int, Order.check_change)
    assert (status.ret_type, status.description) == (str, "where it stands")


def test_a_workflow_is_found_by_its_run_method() -> None:
    assert workflow._Definition.must_from_run_fn(Order.run) is workflow._Definition.from_class(Order)
    assert workflow._Definition.get_name_and_result_type(Order.run) == ("order", str)
    assert workflow._Definition.get_name_and_result_type("by-name") == ("by-name", None)


def test_what_is_no_workflow_is_refused_with_a_hint() -> None:
    class Plain:
        async def run(self) -> None: ...

    with pytest.raises(ValueError, match=r"Workflow Plain missing attributes.*@workflow.defn"):
        workflow._Definition.must_from_class(Plain)
    with pytest.raises(ValueError, match=r"Plain.run missing attributes.*@workflow.run"):
        workflow._Definition.get_name_and_result_type(Plain.run)
    with pytest.raises(TypeError, match="must be a string or callable"):
        workflow._Definition.get_name_and_result_type(1)  # type: ignore[arg-type]


class Heir(Order):
    pass


def test_the_definition_of_a_base_class_does_not_make_its_heir_a_workflow() -> None:
    assert workflow._Definition.from_class(Heir) is None


def test_a_class_is_defined_once() -> None:
    with pytest.raises(ValueError, match="already contains workflow definition"):
        workflow.defn(Order)


class NoDecorators(Base):
    async def run(self, name: str) -> str:
        return name

    def inherited(self) -> None: ...


class Clashing:
    @workflow.signal
    def signal1(self) -> None: ...

    @workflow.signal(name="signal1")
    def signal2(self) -> None: ...

    @workflow.query(dynamic=True)
    def query1(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.query(dynamic=True)
    def query2(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.update
    def update1(self) -> None: ...

    @workflow.update(name="update1")
    def update2(self) -> None: ...


class TwoRuns:
    @workflow.run
    async def run1(self) -> None: ...

    @workflow.run
    async def run2(self) -> None: ...


class OnlyInherits(Base): ...


class OtherInit:
    @workflow.init
    def __init__(self, name: int) -> None: ...

    @workflow.run
    async def run(self, name: str) -> None: ...


class OtherValidator:
    @workflow.run
    async def run(self) -> None: ...

    @workflow.update
    def change(self, address: str) -> None: ...

    @change.validator  # type: ignore[arg-type]
    def check_change(self, address: int) -> None: ...


@pytest.mark.parametrize(
    ("cls", "complaints"),
    [
        (
            NoDecorators,
            [
                "for 2 reasons",
                "@workflow.run defined on Base.run but not on the override",
                "@workflow.signal defined on Base.inherited but not on the override",
            ],
        ),
        (
            Clashing,
            [
                "for 4 reasons",
                "Multiple signal methods found for signal1 (at least on signal2 and signal1)",
                "Multiple query methods found for <dynamic> (at least on query2 and query1)",
                "Multiple update methods found for update1 (at least on update2 and update1)",
                "Missing @workflow.run method",
            ],
        ),
        (TwoRuns, ["Invalid workflow class: Multiple @workflow.run methods found (at least on run2 and run1)"]),
        (OnlyInherits, ["@workflow.run method run must be defined on OnlyInherits"]),
        (OtherInit, ["@workflow.init and @workflow.run method parameters do not match"]),
        (OtherValidator, ["Update validator method check_change parameters do not match update method change parameters"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_class_that_is_wrong_is_refused_with_all_reasons(cls: type, complaints: list[str]) -> None:
    with pytest.raises(ValueError, match="Invalid workflow class") as refused:
        workflow.defn(cls)

    assert [complaint for complaint in complaints if complaint not in str(refused.value)] == []


class Outer:
    @workflow.defn
    class Inner:
        @workflow.run
        async def run(self) -> None: ...


def test_a_workflow_may_be_nested_in_a_class() -> None:
    assert workflow._Definition.must_from_class(Outer.Inner).name == "Inner"


def test_a_workflow_may_not_be_local_to_a_function() -> None:
    with pytest.raises(ValueError, match="Local classes unsupported"):

        class Local:
            @workflow.run
            async def run(self) -> None: ...


def test_a_run_method_is_async() -> None:
    with pytest.raises(ValueError, match="must be an async function"):

        @workflow.run  # type: ignore[type-var]
        def run() -> None: ...


def test_only_init_can_take_the_arguments() -> None:
    with pytest.raises(ValueError, match="only be used on the __init__ method"):

        @workflow.init
        def create(self: Any) -> None: ...


@workflow.defn
class WithInit:
    @workflow.init
    def __init__(self, first: str) -> None:
        self.first = first

    @workflow.run
    async def run(self, other_name: str) -> None: ...


def test_an_init_that_takes_the_arguments_is_known() -> None:
    assert workflow._Definition.must_from_class(WithInit).init_takes_args


@workflow.defn(dynamic=True)
class AnyWorkflow:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None: ...

    @workflow.dynamic_config
    def configure(self) -> workflow.DynamicWorkflowConfig:
        return workflow.DynamicWorkflowConfig()


def test_a_dynamic_workflow_has_no_name_and_may_configure_itself() -> None:
    definition = workflow._Definition.must_from_class(AnyWorkflow)

    assert definition.name is None
    assert definition.dynamic_config_fn is AnyWorkflow.configure
    with pytest.raises(ValueError, match="Cannot invoke dynamic workflow"):
        workflow._Definition.get_name_and_result_type(AnyWorkflow.run)


class DynamicWithNames:
    @workflow.run
    async def run(self, first: str) -> None: ...


class ConfiguredButNotDynamic:
    @workflow.run
    async def run(self) -> None: ...

    @workflow.dynamic_config
    def configure(self) -> workflow.DynamicWorkflowConfig:
        return workflow.DynamicWorkflowConfig()


def test_a_dynamic_workflow_takes_raw_values_and_only_it_is_configured() -> None:
    with pytest.raises(TypeError, match="Dynamic workflow must accept a single Sequence"):
        workflow.defn(dynamic=True)(DynamicWithNames)
    with pytest.raises(ValueError, match="dynamic_config can only be used in dynamic workflows"):
        workflow.defn(ConfiguredButNotDynamic)


def test_a_dynamic_configuration_is_a_plain_method_without_arguments() -> None:
    with pytest.raises(ValueError, match="must be synchronous"):

        @workflow.dynamic_config  # type: ignore[arg-type]
        async def later(self: Any) -> None: ...

    with pytest.raises(ValueError, match="must only take self"):

        @workflow.dynamic_config  # type: ignore[arg-type]
        def more(self: Any, name: str) -> None: ...


def test_a_bound_handler_is_a_method_of_the_instance() -> None:
    instance, definition = Order(), workflow._Definition.must_from_class(Order)

    bound = definition.signals["pay"].bind_fn(instance)
    assert inspect.iscoroutinefunction(bound)
    assert bound.__self__ is instance
    assert definition.queries["status"].bind_fn(instance)() == "new"
    definition.updates["cancel"].bind_validator(instance)("anything")


def _a(self: Any, a: int) -> None: ...
def _b(self: Any, b: int) -> str: ...
def _c(self: Any, a: str) -> None: ...
def _d(self: Any, a: int, b: int) -> None: ...
def _e(self: Any, a: int = 1) -> None: ...


@pytest.mark.parametrize(("one", "other", "alike"), [(_a, _b, True), (_a, _c, False), (_a, _d, False), (_a, _e, False)])
def test_parameters_are_alike_whatever_they_are_called(one: Any, other: Any, alike: bool) -> None:
    assert workflow._parameters_identical_up_to_naming(one, other) is alike
