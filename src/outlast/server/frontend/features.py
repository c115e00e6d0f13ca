"""What is switched on, and where callbacks may go: the reference server's dynamic configuration, as far as it is read here."""

from collections.abc import Mapping, Sequence

import msgspec

from outlast.server.frontend.callbacks import AddressRule, address_rules

ADDRESSES = "callback.allowedAddresses"
PAUSE = "frontend.WorkflowPauseEnabled"
TIME_SKIPPING = "frontend.WorkflowTimeSkippingEnabled"
UPDATE_CALLBACKS = "history.enableUpdateCallbacks"
STOP_POLLS = "frontend.enableCancelWorkerPollsOnShutdown"


class Features(msgspec.Struct, frozen=True):
    """Features that the reference server ships switched off are on, unless somebody says otherwise."""

    pause: bool = True
    time_skipping: bool = True
    update_callbacks: bool = True
    stop_polls: bool = True
    """A worker that shuts down has its polls answered with nothing."""
    callback_addresses: Sequence[AddressRule] = ()
    """None by default, as on the reference server."""


def features(dynamic_config: Mapping[str, str]) -> Features:
    """Read the switches. Raises ValueError."""

    def on(switch: str) -> bool:
        return dynamic_config.get(switch, "true").strip('"').lower() != "false"

    return Features(on(PAUSE), on(TIME_SKIPPING), on(UPDATE_CALLBACKS), on(STOP_POLLS), address_rules(dynamic_config.get(ADDRESSES, "[]")))
