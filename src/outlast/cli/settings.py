"""What a server's operator can set.

BadSetting       a value or a name that is not possible; the message names where it stands and what was expected
└── BadFlag      it stands on the command line
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MEMORY = ":memory:"
"""The `db_filename` that means: keep everything in memory, and nothing when the server stops."""

Port = Annotated[int, Meta(ge=0, le=65535, description="a port from 0 (any free one) to 65535")]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]+\Z", description="an IP address or a host name")]
FileName = Annotated[str, Meta(pattern=r"^[^\0]+\Z", description="the name of a file, or :memory:")]
NamespaceName = Annotated[
    str, Meta(pattern=r"^[^\s,\x00-\x1f]{1,1000}\Z", description="a namespace's name: 1 to 1000 characters without spaces or commas")
]
SearchAttributeName = Annotated[str, Meta(pattern=r"^[^\s=]{1,1000}\Z", description="a search attribute's name: no spaces and no '='")]
SearchAttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]
PragmaName = Annotated[str, Meta(pattern=r"^[A-Za-z_]+\Z", description="the name of a SQLite pragma")]
PragmaValue = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.+-]+\Z", description="a word or a number")]
LogLevel = Literal["debug", "info", "warn", "error", "never"]
LogFormat = Literal["text", "pretty", "json"]


class BadSetting(Exception):
    """Tell the operator: the message says which setting it is, its value, and what was expected."""


class BadFlag(BadSetting):
    """The same, for a flag: a mistake of usage."""


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. A field's name is its key in the file, and with OUTLAST_ before it its variable."""

    ip: Host = "127.0.0.1"
    port: Port = 7233
    db_filename: FileName = MEMORY
    """Relative to the working directory."""
    namespaces: tuple[NamespaceName, ...] = ("default",)
    search_attributes: dict[SearchAttributeName, SearchAttributeType] = {}
    sqlite_pragmas: dict[PragmaName, PragmaValue] = {}
    dynamic_config: dict[str, str] = {}
    log_level: LogLevel = "info"
    log_format: LogFormat = "text"
    headless: bool = False
    http_port: Port | None = None
    metrics_port: Port | None = None
    ui_port: Port | None = None
    ui_ip: Host | None = None
    ui_public_path: str | None = None
    ui_asset_path: str | None = None
    ui_codec_endpoint: str | None = None
    ui_disable_news_fetch: bool = False


NOT_BUILT = frozenset({"http_port", "metrics_port"}) | {f for f in ServerSettings.__struct_fields__ if f.startswith("ui_")}
"""Settings that are accepted although nothing reads them yet."""
_FLAGS = {
    "namespaces": "--namespace",
    "search_attributes": "--search-attribute",
    "sqlite_pragmas": "--sqlite-pragma",
    "dynamic_config": "--dynamic-config-value",
}


def flag_of(setting: str) -> str:
    """The flag that sets it."""
    return _FLAGS.get(setting, f"--{setting.replace('_', '-')}")
