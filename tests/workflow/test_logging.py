"""The workflow's logger: what its records say, and when it is silent."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from outlast import workflow
from tests.workflow.recording import in_workflow

DETAILS = {"workflow_id": "order-1", "run_id": "run-1"}


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What the base logger gets to handle."""
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    base = workflow.logger.base_logger
    base.addHandler(handler)
    base.setLevel(logging.INFO)
    yield seen
    base.removeHandler(handler)
    base.setLevel(logging.NOTSET)


def _logger(**settings: bool) -> workflow.LoggerAdapter:
    logger = workflow.LoggerAdapter(workflow.logger.base_logger, None)
    for name, value in settings.items():
        setattr(logger, name, value)
    return logger


async def test_a_record_says_what_workflow_it_comes_from(records: list[Any]) -> None:
    with in_workflow(logger_details=DETAILS, info="the whole info"):
        workflow.logger.info("paid %s", 5, extra={"mine": 1})

    [record] = records
    assert record.getMessage() == f"paid 5 ({DETAILS})"
    assert record.temporal_workflow == DETAILS
    assert record.mine == 1
    assert not hasattr(record, "workflow_info")
    assert (record.name, record.funcName) == ("outlast.workflow", "test_a_record_says_what_workflow_it_comes_from")


async def test_a_record_says_what_update_it_comes_from(records: list[Any]) -> None:
    workflow._set_current_update_info(workflow.UpdateInfo(id="u1", name="change"))
    with in_workflow(logger_details=DETAILS):
        assert workflow.current_update_info() == workflow.UpdateInfo(id="u1", name="change")
        workflow.logger.info("changed")

    assert records[0].temporal_workflow == {**DETAILS, "update_id": "u1", "update_name": "change"}
    assert "'update_id': 'u1'" in records[0].getMessage()


async def test_what_a_record_says_can_be_chosen(records: list[Any]) -> None:
    with in_workflow(logger_details=DETAILS, info="the whole info"):
        _logger(workflow_info_on_message=False, workflow_info_on_extra=False).info("plain")
        _logger(workflow_info_on_message=False, full_workflow_info_on_extra=True).info("full", extra={"workflow_info": "mine"})
        _logger(full_workflow_info_on_extra=True).info("whole")

    assert [record.getMessage() for record in records] == ["plain", "full", f"whole ({DETAILS})"]
    assert [hasattr(record, "temporal_workflow") for record in records] == [False, True, True]
    assert (records[1].workflow_info, records[2].workflow_info) == ("mine", "the whole info")


async def test_nothing_is_logged_again_while_history_is_replayed(records: list[Any]) -> None:
    with in_workflow(logger_details=DETAILS, is_replaying_history_events=True):
        workflow.logger.info("again")
        assert not workflow.logger.isEnabledFor(logging.ERROR)
        _logger(log_during_replay=True).info("wanted")

    assert [record.msg.split(" ")[0] for record in records] == ["wanted"]


async def test_outside_of_a_workflow_it_is_a_logger_like_any_other(records: list[Any]) -> None:
    workflow.logger.info("hello")
    workflow.logger.debug("not at this level")

    assert [record.getMessage() for record in records] == ["hello"]


async def test_records_are_handled_with_the_guard_off(records: list[Any]) -> None:
    guarded: list[bool] = []
    workflow.logger.base_logger.handlers[-1].emit = lambda record: guarded.append(  # type: ignore[method-assign]
        not workflow.unsafe.is_sandbox_unrestricted()
    )
    with in_workflow(logger_details=DETAILS):
        workflow.logger.info("hello")

    assert guarded == [False]
    assert not workflow.unsafe.is_sandbox_unrestricted()


def test_the_guard_of_log_records_has_a_switch_for_programs_that_use_it() -> None:
    logger = _logger()
    logger.unsafe_disable_sandbox()
    assert logger.disable_sandbox
    logger.unsafe_disable_sandbox(False)
    assert not logger.disable_sandbox
