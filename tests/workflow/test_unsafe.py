"""The guard's off switch holds for its block, and for what the block starts."""

import asyncio

import pytest

from outlast import workflow
from outlast.workflow import SandboxImportNotificationPolicy, unsafe


def test_the_guard_is_off_inside_of_the_block_only() -> None:
    assert not unsafe.is_sandbox_unrestricted()
    with unsafe.sandbox_unrestricted():
        with unsafe.sandbox_unrestricted():
            assert unsafe.is_sandbox_unrestricted()
        assert unsafe.is_sandbox_unrestricted()
    assert not unsafe.is_sandbox_unrestricted()


async def test_a_block_that_waits_does_not_turn_off_the_guard_of_others() -> None:
    """Workflows share a thread: what one of them allows itself must not hold for the next."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def unrestricted() -> bool:
        with unsafe.sandbox_unrestricted():
            entered.set()
            await leave.wait()
            return unsafe.is_sandbox_unrestricted()

    task = asyncio.create_task(unrestricted())
    await entered.wait()
    assert not unsafe.is_sandbox_unrestricted()
    leave.set()
    assert await task


def test_imports_may_be_said_to_pass_through() -> None:
    assert not unsafe.is_imports_passed_through()
    with unsafe.imports_passed_through():
        assert unsafe.is_imports_passed_through()
    assert not unsafe.is_imports_passed_through()

    assert unsafe.current_import_notification_policy_override() is None
    with unsafe.sandbox_import_notification_policy(SandboxImportNotificationPolicy.SILENT):
        assert unsafe.current_import_notification_policy_override() is SandboxImportNotificationPolicy.SILENT
    assert unsafe.current_import_notification_policy_override() is None


def test_unsafe_is_no_class_to_make_objects_of() -> None:
    with pytest.raises(NotImplementedError):
        unsafe()


def test_outside_of_workflows_nothing_is_guarded() -> None:
    assert not workflow.unsafe.in_sandbox()
