"""The workflows of a worker or replayer, by name, what is wrong with them, and their interceptors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outlast import workflow
from outlast.common import VersioningBehavior
from outlast.worker._interceptor import Interceptor, WorkflowInterceptorClassInput
from outlast.worker._runner import WorkflowRunner

if TYPE_CHECKING:
    from outlast.replay.interceptor import WorkflowInboundInterceptor


def workflow_definitions(
    workflows: Sequence[type], runner: WorkflowRunner, unsandboxed: WorkflowRunner, *, versions_needed: bool = False
) -> Mapping[str | None, workflow._Definition]:
    """The definitions by workflow type; None is the dynamic workflow.

    Raises ValueError, TypeError or RuntimeError for workflows that cannot be run together, or not as the runner or versioning wants.
    """
    definitions: dict[str | None, workflow._Definition] = {}
    for each in workflows:
        definition = workflow._Definition.must_from_class(each)
        if definition.name in definitions:
            raise (
                ValueError(f"More than one workflow named {definition.name}")
                if definition.name
                else TypeError("More than one dynamic workflow")
            )
        if versions_needed:
            _check_version(definition)
        try:
            (runner if definition.sandboxed else unsandboxed).prepare_workflow(definition)
        except Exception as error:
            raise RuntimeError(f"Failed validating workflow {definition.name}") from error
        definitions[definition.name] = definition
    return definitions


def _check_version(definition: workflow._Definition) -> None:
    unspecified = definition.versioning_behavior in (None, VersioningBehavior.UNSPECIFIED)
    if unspecified and definition.dynamic_config_fn is None:
        raise ValueError(
            f"Workflow {definition.name} must specify a versioning behavior using the `versioning_behavior` argument to "
            "`@workflow.defn` or by defining a function decorated with `@workflow.dynamic_config`."
        )


def workflow_interceptors(
    interceptors: Sequence[Interceptor], extern_functions: dict[str, Callable[..., Any]]
) -> Sequence[type[WorkflowInboundInterceptor]]:
    """The classes that wrap workflows. What they want to call outside is added to `extern_functions`."""
    input = WorkflowInterceptorClassInput(unsafe_extern_functions=extern_functions)
    classes = (interceptor.workflow_interceptor_class(input) for interceptor in interceptors)
    return [each for each in classes if each is not None]
