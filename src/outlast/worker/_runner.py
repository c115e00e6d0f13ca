"""How workflows are run: the names of the official SDK, of which a worker reads one thing, whether the guard is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlast import workflow


class WorkflowRunner:
    """Says how workflows are run. The guard makes calls raise that would not come out the same in a replay."""

    guarded: bool = True

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        """Called once for each workflow of a worker; may raise to refuse it."""

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """Told what the worker was given as `workflow_failure_exception_types`."""


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows without the guard."""

    guarded = False


@dataclass(frozen=True)
class PatchActivationInput:
    """A call of `workflow.patched` that a worker's `patch_activation_callback` decides on."""

    workflow_info: workflow.Info
    patch_id: str
