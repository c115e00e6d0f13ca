"""The reference server's dynamic configuration: the few switches that something reads here."""

from collections.abc import Mapping

import msgspec

from outlast.cli.settings import BadFlag, flag_of

_ON_OFF = ("true", "false")
SWITCHES = {
    "frontend.WorkflowPauseEnabled": _ON_OFF,
    "frontend.WorkflowTimeSkippingEnabled": _ON_OFF,
    "frontend.enableCancelWorkerPollsOnShutdown": _ON_OFF,
    "history.enableUpdateCallbacks": _ON_OFF,
    "limit.blobSize.error": None,
    "limit.blobSize.warn": None,
    "limit.historyCount.suggestContinueAsNew": None,
}
"""Each switch and the values that it may have; None: a whole number above zero."""
ADDRESSES = "callback.allowedAddresses"


class _Address(msgspec.Struct, forbid_unknown_fields=True):
    Pattern: str = ""
    AllowInsecure: bool = False


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
    _check_addresses(values.get(ADDRESSES, "[]"))


def _check_addresses(value: str) -> None:
    try:
        msgspec.json.decode(value.encode(), type=list[_Address])
    except msgspec.DecodeError as error:
        example = '[{"Pattern":"*.example.com:443","AllowInsecure":false}]'
        raise BadFlag(f"{flag_of('dynamic_config')} {ADDRESSES}={value}: {error}; expected a list like {example}") from None
