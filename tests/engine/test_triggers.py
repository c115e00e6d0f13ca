"""Every kind of trigger is answered."""

from typing import get_args

from outlast.engine import decide
from outlast.engine import triggers as t


def test_every_trigger_has_its_place_in_the_table() -> None:
    assert set(decide.RECEIVES) == set(get_args(t.Trigger)) - {t.CompleteWorkflowTask}
