"""The decorators that make a class a workflow, and what is known of a workflow once it is defined."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, overload

from outlast import common
from outlast.common import VersioningBehavior
from outlast.types import CallableAsyncType, CallableType, ClassType, MethodSyncNoParam, SelfType
from outlast.workflow._handler_definitions import _QueryDefinition, _SignalDefinition, _UpdateDefinition
from outlast.workflow._members import DYNAMIC_CONFIG_ATTRIBUTE, INIT_ATTRIBUTE, RUN_ATTRIBUTE, collect

__all__ = ["DynamicWorkflowConfig", "defn", "dynamic_config", "init", "run"]

DEFINITION_ATTRIBUTE = "__temporal_workflow_definition"
"""Where a workflow class and its run method keep their `_Definition`."""


@overload
def defn(cls: ClassType) -> ClassType: ...
@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    failure_exception_types: Sequence[type[BaseException]] = [],
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[ClassType], ClassType]: ...
@overload
def defn(
    *,
    sandboxed: bool = True,
    dynamic: bool = False,
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[ClassType], ClassType]: ...


def defn(
    cls: ClassType | None = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = [],
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> ClassType | Callable[[ClassType], ClassType]:
    """Make a class a workflow. Each class needs its own: a base class's does not count.

    Args:
        cls: The class. It has one method marked with `run`.
        name: The workflow type, if it is not the class's name. Not together with `dynamic`.
        sandboxed: Whether calls that are not deterministic (clocks, random numbers, sockets, …) raise in this workflow's code.
        dynamic: Run every workflow type that the worker has no class for. `run` then takes one `Sequence[RawValue]`.
        failure_exception_types: Errors that fail the workflow or update when they leave its code. All others that are not
            already failures fail the workflow task, which is tried again until the code is mended. Adds to the worker's own list.
        versioning_behavior: How runs move between versions of a worker deployment.

    Raises:
        ValueError: The class has no or many run methods, handlers that clash, or overrides without their decorator.
    """

    def decorate(cls: ClassType) -> ClassType:
        _Definition._apply_to_class(
            cls,
            workflow_name=None if dynamic else name or cls.__name__,
            sandboxed=sandboxed,
            failure_exception_types=failure_exception_types,
            versioning_behavior=versioning_behavior,
        )
        return cls

    return decorate if cls is None else decorate(cls)


def init(init_fn: CallableType) -> CallableType:
    """Mark `__init__` as taking the workflow's arguments. Its parameters must be those of the run method.

    Raises:
        ValueError: The method is not `__init__`.
    """
    if init_fn.__name__ != "__init__":
        raise ValueError("@workflow.init may only be used on the __init__ method")
    setattr(init_fn, INIT_ATTRIBUTE, True)
    return init_fn


def run(fn: CallableAsyncType) -> CallableAsyncType:
    """Mark the async method that is the workflow's work. A class has exactly one, and an override must be marked again.

    It takes positional parameters only; one object that can grow is best. What it returns is the workflow's result.

    Raises:
        ValueError: The method is not async, or its class is local to a function.
    """
    if not inspect.iscoroutinefunction(fn):
        raise ValueError("Workflow run method must be an async function")
    # A worker elsewhere, and a replay years later, must find the class by its name.
    if "<locals>" in fn.__qualname__:
        raise ValueError("Local classes unsupported, @workflow.run cannot be on a local class")
    setattr(fn, RUN_ATTRIBUTE, True)
    return cast("CallableAsyncType", fn)


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a method marked with `dynamic_config` returns. What is set here goes before what `defn` was given."""

    failure_exception_types: Sequence[type[BaseException]] | None = None
    """Errors that fail the workflow or update when they leave its code; None leaves the list of `defn`."""
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    """How runs move between versions of a worker deployment."""


def dynamic_config(
    fn: MethodSyncNoParam[SelfType, DynamicWorkflowConfig],
) -> MethodSyncNoParam[SelfType, DynamicWorkflowConfig]:
    """Mark the method of a dynamic workflow that chooses its configuration when the workflow type is known.

    It is called after `__init__` and before `run`, is not async and takes nothing.

    Raises:
        ValueError: The method is async or takes arguments.
    """
    if inspect.iscoroutinefunction(fn):
        raise ValueError("Workflow dynamic_config method must be synchronous")
    if len(inspect.signature(fn).parameters) != 1:
        raise ValueError("Workflow dynamic_config method must only take self parameter")
    setattr(fn, DYNAMIC_CONFIG_ATTRIBUTE, True)
    return fn


@dataclass(frozen=True)
class _Definition:
    """A workflow class as the SDK sees it, worked out once, when the class is decorated."""

    name: str | None
    """None for the workflow of all types that have no class of their own."""
    cls: type
    run_fn: Callable[..., Awaitable[Any]]
    signals: Mapping[str | None, _SignalDefinition]
    queries: Mapping[str | None, _QueryDefinition]
    updates: Mapping[str | None, _UpdateDefinition]
    sandboxed: bool
    failure_exception_types: Sequence[type[BaseException]]
    arg_types: list[type] | None = None
    """None if not all can be passed by position; in it, None for one that is not annotated."""
    ret_type: type | None = None
    versioning_behavior: VersioningBehavior | None = None
    dynamic_config_fn: Callable[..., DynamicWorkflowConfig] | None = None
    init_takes_args: bool = field(init=False, compare=False, repr=False, default=False)
    """Whether `__init__` is called with the workflow's arguments."""

    @staticmethod
    def from_class(cls: type) -> _Definition | None:
        definition = getattr(cls, DEFINITION_ATTRIBUTE, None)
        if isinstance(definition, _Definition) and definition.cls == cls:
            return definition
        return None

    @staticmethod
    def must_from_class(cls: type) -> _Definition:
        definition = _Definition.from_class(cls)
        if definition is None:
            name = getattr(cls, "__name__", "<unknown>")
            raise ValueError(f"Workflow {name} missing attributes, was it decorated with @workflow.defn?")
        return definition

    @staticmethod
    def from_run_fn(fn: Callable[..., Awaitable[Any]]) -> _Definition | None:
        return getattr(fn, DEFINITION_ATTRIBUTE, None)

    @staticmethod
    def must_from_run_fn(fn: Callable[..., Awaitable[Any]]) -> _Definition:
        definition = _Definition.from_run_fn(fn)
        if definition is None:
            name = getattr(fn, "__qualname__", "<unknown>")
            raise ValueError(
                f"Function {name} missing attributes, was it decorated with @workflow.run and was its class decorated with @workflow.defn?"
            )
        return definition

    @classmethod
    def get_name_and_result_type(cls, name_or_run_fn: str | Callable[..., Awaitable[Any]]) -> tuple[str, type | None]:
        if isinstance(name_or_run_fn, str):
            return name_or_run_fn, None
        if not callable(name_or_run_fn):
            raise TypeError("Workflow must be a string or callable")
        definition = cls.must_from_run_fn(name_or_run_fn)
        if not definition.name:
            raise ValueError("Cannot invoke dynamic workflow explicitly")
        return definition.name, definition.ret_type

    @staticmethod
    def _apply_to_class(
        cls: type,
        *,
        workflow_name: str | None,
        sandboxed: bool,
        failure_exception_types: Sequence[type[BaseException]],
        versioning_behavior: VersioningBehavior,
    ) -> None:
        if _Definition.from_class(cls):
            raise ValueError("Class already contains workflow definition")
        members = collect(cls, workflow_name)
        definition = _Definition(
            name=workflow_name,
            cls=cls,
            run_fn=members.run_fn,
            signals=members.signals,
            queries=members.queries,
            updates=members.updates,
            sandboxed=sandboxed,
            failure_exception_types=failure_exception_types,
            versioning_behavior=versioning_behavior,
            dynamic_config_fn=members.dynamic_config_fn,
        )
        setattr(cls, DEFINITION_ATTRIBUTE, definition)
        setattr(members.run_fn, DEFINITION_ATTRIBUTE, definition)

    def __post_init__(self) -> None:
        object.__setattr__(self, "init_takes_args", hasattr(self.cls.__init__, INIT_ATTRIBUTE))  # type: ignore[misc]
        if self.arg_types is not None or self.ret_type is not None:
            return
        arg_types, ret_type = common._type_hints_from_func(self.run_fn)
        if self.name is None and arg_types != [Sequence[common.RawValue]]:
            raise TypeError("Dynamic workflow must accept a single Sequence[outlast.common.RawValue]")
        object.__setattr__(self, "arg_types", arg_types)
        object.__setattr__(self, "ret_type", ret_type)
