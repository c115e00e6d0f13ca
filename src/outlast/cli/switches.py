"""The reference server's dynamic configuration: the few switches that something reads here."""

from collections.abc import Mapping

from outlast.cli.settings import BadFlag, flag_of

SWITCHES = {"frontend.WorkflowPauseEnabled": ("true", "false"), "limit.historyCount.suggestContinueAsNew": None}
"""Each switch and the values that it may have; None: a whole number above zero."""


def check_switches(values: Mapping[str, str]) -> None:
    """Refuse a value that a switch cannot have. Raises BadFlag."""
    for switch, allowed in SWITCHES.items():
        value = values.get(switch)
        if value is None:
            continue
        if allowed is not None and value not in allowed:
            raise BadFlag(f"{flag_of('dynamic_config')} {switch}={value}: expected {' or '.join(allowed)}")
        if allowed is None and not (value.isdigit() and int(value) > 0):
            raise BadFlag(f"{flag_of('dynamic_config')} {switch}={value}: expected a whole number above 0")
