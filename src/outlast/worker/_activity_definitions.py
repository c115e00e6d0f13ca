"""The activities of a worker, by name, and what is wrong with them."""

from __future__ import annotations

import inspect
import pickle
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from outlast import activity
from outlast.exceptions import ApplicationError
from outlast.worker._shared_state import SharedStateManager


class ActivityDefinitions:
    """Finds the function of an activity type."""

    def __init__(
        self, activities: Sequence[Callable[..., Any]], executor: Executor | None, shared_state: SharedStateManager | None
    ) -> None:
        """Raises ValueError or TypeError for activities that this worker could not run."""
        self._named: dict[str, activity._Definition] = {}
        self._dynamic: activity._Definition | None = None
        for each in activities:
            definition = activity._Definition.must_from_callable(each)
            _check_function(each, definition)
            if not definition.is_async:
                _check_executor(each, definition, executor, shared_state)
            self._add(definition)

    def _add(self, definition: activity._Definition) -> None:
        if definition.name is None:
            if self._dynamic is not None:
                raise TypeError("More than one dynamic activity")
            self._dynamic = definition
        elif definition.name in self._named:
            raise ValueError(f"More than one activity named {definition.name}")
        else:
            self._named[definition.name] = definition

    def find(self, activity_type: str, workflow_id: str) -> activity._Definition:
        """The definition of an activity type, the dynamic one if it has none of its own. Raises ApplicationError if there is neither."""
        definition = self._named.get(activity_type, self._dynamic)
        if definition is None:
            raise ApplicationError(
                f"Activity function {activity_type} for workflow {workflow_id} "
                f"is not registered on this worker, available activities: {self._known()}",
                type="NotFoundError",
            )
        return definition

    def check(self, activity_type: str) -> None:
        """Raise ValueError for an activity type that this worker cannot run."""
        if self._dynamic is None and activity_type not in self._named:
            raise ValueError(f"Activity function {activity_type} is not registered on this worker, available activities: {self._known()}")

    def _known(self) -> str:
        return ", ".join(sorted(self._named))


def _check_function(function: Callable[..., Any], definition: activity._Definition) -> None:
    if inspect.isclass(function):
        raise TypeError(f"Activity named {definition.name} is a class instead of an instance")
    if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters), None) == "self":
        warnings.warn(
            f"Activity named {definition.name} has a first parameter named self but is not bound to an instance, "
            "did you mean to register it from an instance of the class?",
            stacklevel=6,
        )


def _check_executor(
    function: Callable[..., Any], definition: activity._Definition, executor: Executor | None, shared_state: SharedStateManager | None
) -> None:
    if executor is None:
        raise ValueError(f"Activity {definition.name} is not async so an activity_executor must be present")
    if not isinstance(executor, ThreadPoolExecutor) and shared_state is None:
        raise ValueError(
            f"Activity {definition.name} is not async and executor is not thread-pool executor, so a shared_state_manager must be present"
        )
    if isinstance(executor, ProcessPoolExecutor):
        try:
            pickle.dumps(function)
        except Exception as error:
            raise TypeError(f"Activity {definition.name} must be picklable when using a process executor") from error
