"""The official Replayer accepts the histories that our worker wrote."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.replay.histories import histories
from tests.replay.official import official_scenarios

OURS = histories("outlast")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
async def test_the_official_replayer_accepts_what_our_worker_wrote(path) -> None:  # type: ignore[no-untyped-def]
    replayer = Replayer(workflows=official_scenarios().WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner())

    await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))
