"""What tests tell a development server on its command line, as far as it matters here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from outlast.common import SearchAttributeKey

logger = logging.getLogger("outlast.testing")

_NAMESPACE = ("--namespace", "-n")
_ATTRIBUTE = ("--search-attribute",)
_SWITCH = ("--dynamic-config-value",)


class ServerFlags(NamedTuple):
    namespaces: list[str]
    search_attributes: list[SearchAttributeKey[Any]]
    dynamic_config: dict[str, str]


def server_flags(arguments: Sequence[str]) -> ServerFlags:
    """Read the flags that have a meaning for a server in this process; the log tells of the others.

    Raises ValueError for a value that makes no sense.
    """
    flags = ServerFlags([], [], {})
    rest = [part for argument in arguments for part in _split(argument)]
    while rest:
        flag = rest.pop(0)
        if flag not in _NAMESPACE + _ATTRIBUTE + _SWITCH:
            logger.warning("dev_server_extra_args: %s has no meaning for a server in this process", flag)
            continue
        if not rest:
            raise ValueError(f"dev_server_extra_args: {flag} lacks its value")
        _take(flags, flag, rest.pop(0))
    return flags


def _take(flags: ServerFlags, flag: str, value: str) -> None:
    if flag in _NAMESPACE:
        flags.namespaces.append(value)
        return
    name, is_pair, setting = value.partition("=")
    if not is_pair:
        raise ValueError(f"dev_server_extra_args: {flag} {value}: not of the form NAME=VALUE")
    if flag in _SWITCH:
        flags.dynamic_config[name] = setting
        return
    key = SearchAttributeKey._from_metadata_type(name, setting)
    if key is None:
        raise ValueError(f"dev_server_extra_args: {flag} {value}: there is no type {setting}")
    flags.search_attributes.append(key)


def _split(argument: str) -> list[str]:
    """`--flag=value` is two words."""
    flag, is_pair, value = argument.partition("=")
    return [flag, value] if is_pair and flag.startswith("--") else [argument]
