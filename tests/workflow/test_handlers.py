"""The decorators of handlers: names, dynamic handlers, validators and what is deprecated."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from outlast import workflow
from outlast.common import RawValue

DECORATORS: list[Callable[..., Any]] = [workflow.signal, workflow.query, workflow.update]


def _old_form(self, name: str, *args: Any) -> None: ...
def _no_name(self, args: Sequence[RawValue]) -> None: ...
def _not_raw(self, name: str, args: Sequence[int]) -> None: ...


@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_dynamic_handler_takes_a_name_and_raw_values(decorator: Callable[..., Any]) -> None:
    for handler in (_no_name, _not_raw):
        with pytest.raises(RuntimeError, match="must have 3 arguments: self, str, and Sequence"):
            decorator(dynamic=True)(handler)


@pytest.mark.parametrize("decorator", [workflow.signal, workflow.query])
def test_a_dynamic_handler_that_takes_any_arguments_still_works_with_a_warning_at_its_own_line(decorator: Callable[..., Any]) -> None:
    with pytest.warns(DeprecationWarning, match="vararg third param is deprecated") as warned:
        handler = decorator(dynamic=True)(lambda self, name, *args: None)

    assert warned[0].filename == __file__
    definition = workflow._SignalDefinition.from_fn(handler) or workflow._QueryDefinition.from_fn(handler)
    assert definition is not None
    assert definition.dynamic_vararg


def test_a_dynamic_update_that_takes_any_arguments_does_not() -> None:
    with pytest.raises(RuntimeError, match="do not support a vararg third param"):
        workflow.update(dynamic=True)(_old_form)


@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_dynamic_handler_has_no_name(decorator: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="Cannot provide name and dynamic boolean"):
        decorator(name="pay", dynamic=True)


def test_a_query_needs_something_to_be_made_of() -> None:
    with pytest.raises(RuntimeError, match="Cannot create query without function or name or dynamic"):
        workflow.query()  # type: ignore[call-overload]


async def _slow_query(self: Any) -> None: ...


def test_an_async_query_still_works_with_a_warning_at_its_own_line() -> None:
    with pytest.warns(DeprecationWarning, match="Queries as async def functions are deprecated") as warned:
        workflow.query(_slow_query)
        workflow.query(name="slow")(_slow_query)

    assert [warning.filename for warning in warned] == [__file__, __file__]


def test_an_update_has_at_most_one_validator_and_it_is_not_async() -> None:
    @workflow.update
    def change(self: Any, address: str) -> None: ...

    with pytest.raises(ValueError, match="must not be an async function"):

        @change.validator  # type: ignore[arg-type]
        async def slow_check(self: Any, address: str) -> None: ...

    @change.validator
    def check(self: Any, address: str) -> None: ...

    with pytest.raises(RuntimeError, match="Validator already set for update change"):

        @change.validator
        def check_again(self: Any, address: str) -> None: ...

    assert isinstance(change, workflow.UpdateMethodMultiParam)
    assert change._defn.validator is check


def test_signals_and_updates_are_named_by_their_methods() -> None:
    @workflow.signal(name="pay")
    def on_payment(self: Any) -> None: ...

    @workflow.update(name="change")
    def on_change(self: Any) -> int:
        return 1

    assert workflow._SignalDefinition.must_name_from_fn_or_str(on_payment) == "pay"
    assert workflow._SignalDefinition.must_name_from_fn_or_str("other") == "other"
    assert workflow._UpdateDefinition.get_name_and_result_type(on_change) == ("change", int)
    assert workflow._UpdateDefinition.get_name_and_result_type("other") == ("other", None)


def test_a_method_that_handles_nothing_or_everything_names_no_signal() -> None:
    def plain(self: Any) -> None: ...

    @workflow.signal(dynamic=True)
    def any_signal(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.update(dynamic=True)
    def any_update(self, name: str, args: Sequence[RawValue]) -> None: ...

    with pytest.raises(RuntimeError, match=r"Signal definition not found on .*plain"):
        workflow._SignalDefinition.must_name_from_fn_or_str(plain)
    with pytest.raises(RuntimeError, match="Cannot invoke dynamic signal"):
        workflow._SignalDefinition.must_name_from_fn_or_str(any_signal)
    with pytest.raises(RuntimeError, match="Cannot invoke dynamic update"):
        workflow._UpdateDefinition.get_name_and_result_type(any_update)


def test_a_method_that_is_set_as_a_handler_is_looked_at_without_its_object() -> None:
    class Shop:
        def on_payment(self, amount: int) -> str:
            return str(amount)

    first, second = (workflow._QueryDefinition(name="pay", fn=Shop().on_payment, is_method=False) for _ in range(2))

    assert (first.arg_types, first.ret_type) == ([int], str)
    assert second.arg_types is first.arg_types
    assert first.fn != second.fn
