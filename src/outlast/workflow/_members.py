"""Finds the marked methods of a workflow class and judges whether they make a workflow."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from outlast.workflow._handler_definitions import (
    QUERY_ATTRIBUTE,
    SIGNAL_ATTRIBUTE,
    _QueryDefinition,
    _SignalDefinition,
    _UpdateDefinition,
)

if TYPE_CHECKING:
    from outlast.workflow._definition import DynamicWorkflowConfig

RUN_ATTRIBUTE = "__temporal_workflow_run"
INIT_ATTRIBUTE = "__temporal_workflow_init"
DYNAMIC_CONFIG_ATTRIBUTE = "__temporal_workflow_dynamic_config"

_Handler = TypeVar("_Handler", _SignalDefinition, _QueryDefinition, _UpdateDefinition)


def collect(cls: type, workflow_name: str | None) -> _Members:
    """The marked methods of `cls`; `workflow_name` is None for a dynamic workflow. Raises ValueError with all that is wrong with them."""
    members = _Members(cls, workflow_name)
    for name, member in inspect.getmembers(cls):
        members.add(name, member)
    members.check_bases()
    members.check_run()
    if members.issues:
        count, reasons = len(members.issues), ", ".join(members.issues)
        raise ValueError(f"Invalid workflow class: {reasons}" if count == 1 else f"Invalid workflow class for {count} reasons: {reasons}")
    return members


class _Members:
    """The marked methods of one class, and what is wrong with them."""

    run_fn: Callable[..., Awaitable[Any]]
    """Set by `add`; `collect` returns only when it is."""

    def __init__(self, cls: type, workflow_name: str | None) -> None:
        self.cls = cls
        self.workflow_name = workflow_name
        self.issues: list[str] = []
        self.init_fn: Callable[..., None] | None = None
        self.dynamic_config_fn: Callable[..., DynamicWorkflowConfig] | None = None
        self.signals: dict[str | None, _SignalDefinition] = {}
        self.queries: dict[str | None, _QueryDefinition] = {}
        self.updates: dict[str | None, _UpdateDefinition] = {}
        self._saw_run = False

    def add(self, name: str, member: Any) -> None:
        """Sort in one member of the class."""
        if hasattr(member, RUN_ATTRIBUTE):
            self._add_run(name, member)
        elif (signal := getattr(member, SIGNAL_ATTRIBUTE, None)) is not None:
            self._add_handler("signal", self.signals, name, signal)
        elif (query := getattr(member, QUERY_ATTRIBUTE, None)) is not None:
            self._add_handler("query", self.queries, name, query)
        elif name == "__init__" and hasattr(member, INIT_ATTRIBUTE):
            self.init_fn = member
        elif hasattr(member, DYNAMIC_CONFIG_ATTRIBUTE):
            self._add_dynamic_config(member)
        elif (update := _update_definition(member)) is not None:
            self._add_update(name, update)

    def _add_run(self, name: str, member: Any) -> None:
        self._saw_run = True
        if not _is_unbound_method_on_cls(member, self.cls):
            self.issues.append(f"@workflow.run method {name} must be defined on {self.cls.__qualname__}")
        elif (other := getattr(self, "run_fn", None)) is not None:
            self.issues.append(f"Multiple @workflow.run methods found (at least on {name} and {other.__name__})")
        else:
            self.run_fn = member

    def _add_handler(self, kind: str, known: dict[str | None, _Handler], name: str, handler: _Handler) -> None:
        if (other := known.setdefault(handler.name, handler)) is not handler:
            self.issues.append(
                f"Multiple {kind} methods found for {handler.name or '<dynamic>'} (at least on {name} and {_name(other.fn)})"
            )

    def _add_update(self, name: str, update: _UpdateDefinition) -> None:
        if update.name not in self.updates and update.validator and not _parameters_identical_up_to_naming(update.fn, update.validator):
            self.issues.append(
                f"Update validator method {_name(update.validator)} parameters do not match update method {_name(update.fn)} parameters"
            )
            return
        self._add_handler("update", self.updates, name, update)

    def _add_dynamic_config(self, member: Any) -> None:
        if self.workflow_name:
            self.issues.append(
                "@workflow.dynamic_config can only be used in dynamic workflows, "
                f"but workflow class {self.workflow_name} ({self.cls.__name__}) is not dynamic"
            )
        if self.dynamic_config_fn:
            self.issues.append("@workflow.dynamic_config can only be defined once per workflow")
        self.dynamic_config_fn = member

    def check_bases(self) -> None:
        """An override that lost its decorator hides a handler, which nobody means."""
        for base in inspect.getmro(self.cls)[1:]:
            for _, member in inspect.getmembers(base, inspect.isfunction):
                if _is_unbound_method_on_cls(member, base):
                    self._check_overridden(member)

    def _check_overridden(self, member: Any) -> None:
        if hasattr(member, RUN_ATTRIBUTE):
            self._saw_run = True
            run_fn = getattr(self, "run_fn", None)
            lost = "run" if run_fn is None or run_fn.__name__ != member.__name__ else None
        elif (signal := getattr(member, SIGNAL_ATTRIBUTE, None)) is not None:
            lost = "signal" if signal.name not in self.signals else None
        elif (query := getattr(member, QUERY_ATTRIBUTE, None)) is not None:
            lost = "query" if query.name not in self.queries else None
        elif (update := _update_definition(member)) is not None:
            lost = "update" if update.name not in self.updates else None
        else:
            return
        if lost:
            self.issues.append(f"@workflow.{lost} defined on {member.__qualname__} but not on the override")

    def check_run(self) -> None:
        """There must be a run method, and an `__init__` that takes the same."""
        run_fn = getattr(self, "run_fn", None)
        if not self._saw_run:
            self.issues.append("Missing @workflow.run method")
        if self.init_fn and run_fn and not _parameters_identical_up_to_naming(self.init_fn, run_fn):
            self.issues.append("@workflow.init and @workflow.run method parameters do not match")


def _update_definition(member: Any) -> _UpdateDefinition | None:
    definition = getattr(member, "_defn", None)
    return definition if isinstance(definition, _UpdateDefinition) else None


def _name(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__name__", repr(fn))


def _parameters_identical_up_to_naming(fn1: Callable[..., Any], fn2: Callable[..., Any]) -> bool:
    """Whether two functions take the same kinds, defaults and annotations of parameters in the same order."""
    return _nameless_parameters(fn1) == _nameless_parameters(fn2)


def _nameless_parameters(fn: Callable[..., Any]) -> list[inspect.Parameter]:
    return [parameter.replace(name="x") for parameter in inspect.signature(fn).parameters.values()]


def _is_unbound_method_on_cls(fn: Callable[..., Any], cls: type) -> bool:
    """Whether `fn` was written in the body of `cls`, not in a base class or elsewhere."""
    return inspect.isfunction(fn) and fn.__module__ == cls.__module__ and fn.__qualname__.rsplit(".", 1)[0] == cls.__qualname__
