"""docs/compatibility.md says what the code does, and each call and command that is built is proven by a scenario."""

from temporalio.api.enums.v1 import CommandType

from outlast.engine.commands import BUILT
from tests.compatibility import CALLS, OPERATOR_CALLS, PAGE, page, proofs


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `python3 dev.py fix`"


def test_every_built_call_and_command_is_used_by_a_scenario() -> None:
    calls, commands = proofs()

    assert sorted((set(CALLS) | set(OPERATOR_CALLS)) - set(calls)) == []
    assert sorted({CommandType.Name(kind).removeprefix("COMMAND_TYPE_") for kind in BUILT} - set(commands)) == []
