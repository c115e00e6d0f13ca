"""Which completion callbacks are accepted: the reference server's checks, with its texts (platform.md 7.7)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from google.protobuf.message import Message
from temporalio.api.common.v1 import Callback, Link

from outlast.engine import limits
from outlast.engine.checks import size_bytes
from outlast.engine.refusals import InvalidArgument, Unsupported

SYSTEM_URLS = ("temporal://system", "temporal://internal")
"""Of the server itself; always accepted."""


class AddressRule(msgspec.Struct, frozen=True):
    """Hosts, with their ports, that callbacks may go to."""

    pattern: str = msgspec.field(name="Pattern", default="")
    """`*` stands for anything."""
    allow_insecure: bool = msgspec.field(name="AllowInsecure", default=False)
    """Whether plain http will do."""

    def matches(self, host: str) -> bool:
        return re.fullmatch(".*".join(re.escape(part) for part in self.pattern.split("*")), host) is not None


def address_rules(text: str) -> tuple[AddressRule, ...]:
    """The rules in a switch's value, a JSON list. Raises ValueError."""
    rules = msgspec.json.decode(text.encode(), type=list[AddressRule])
    return tuple(rule for rule in rules if rule.pattern)


def check_callbacks(callbacks: Sequence[Callback], rules: Sequence[AddressRule]) -> None:
    """Refuse what cannot be delivered or must not. Names of headers are put into lower case. Raises a Refusal."""
    if len(callbacks) > limits.CALLBACKS_MAX:
        raise InvalidArgument(f"cannot attach more than {limits.CALLBACKS_MAX} callbacks to an execution")
    for callback in callbacks:
        if callback.WhichOneof("variant") != "nexus":
            raise Unsupported("unknown callback variant: <nil>")
        nexus = callback.nexus
        if size_bytes(nexus.url) > limits.CALLBACK_URL_BYTES_MAX:
            raise InvalidArgument(f"invalid url: url length longer than max length allowed of {limits.CALLBACK_URL_BYTES_MAX}")
        _check_url(nexus.url, rules)
        if sum(size_bytes(name) + size_bytes(value) for name, value in nexus.header.items()) > limits.CALLBACK_HEADER_BYTES_MAX:
            raise InvalidArgument(f"invalid header: header size longer than max allowed size of {limits.CALLBACK_HEADER_BYTES_MAX}")
        lowered = {name.lower(): value for name, value in nexus.header.items()}
        nexus.header.clear()
        nexus.header.update(lowered)


def _check_url(url: str, rules: Sequence[AddressRule]) -> None:
    if url in SYSTEM_URLS:
        return
    if flaw := _flaw(url):
        raise InvalidArgument(f"invalid callback url: parse {json.dumps(url)}: {flaw}".replace("\\u00", "\\x"))
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise InvalidArgument(f"invalid url: unknown scheme: {url}")
    host = parts.netloc.rpartition("@")[2]
    if not host:
        raise InvalidArgument("invalid url: missing host")
    rule = next((rule for rule in rules if rule.matches(host)), None)
    if rule is None:
        raise InvalidArgument(f"invalid url: url does not match any configured callback address: {url}")
    if parts.scheme != "https" and not rule.allow_insecure:
        raise InvalidArgument(f"invalid url: callback address does not allow insecure connections: {url}")


def _flaw(url: str) -> str:
    """Why it is no URL at all; empty when it is one."""
    if any(character < " " or character == "\x7f" for character in url):
        return "net/url: invalid control character in URL"
    if url.startswith(":"):
        return "missing protocol scheme"
    has_scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url) is not None
    if not has_scheme and ":" in url.partition("/")[0]:
        return "first path segment in URL cannot contain colon"
    if escape := re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", url):
        return f'invalid URL escape "{escape.group()}"'
    port = re.search(r":([^:\]]*)$", urlsplit(url).netloc.rpartition("@")[2]) if has_scheme else None
    if port is not None and not re.fullmatch("[0-9]*", port.group(1)):
        return f'invalid port ":{port.group(1)}" after host'
    return ""


def linked(request: Message, callbacks: Sequence[Callback]) -> list[Link]:
    """All links to be checked; those of the request that a callback has too are taken out of the request."""
    of_callbacks = [link for callback in callbacks for link in callback.links]
    links = request.links  # type: ignore[attr-defined]
    kept = [link for link in links if link not in of_callbacks]
    if len(kept) < len(links):
        del links[:]
        links.extend(kept)
    return [*kept, *of_callbacks]
