"""The flags of the server commands, as types that say how each is written and explained."""

from typing import Annotated

import typer

# Every value is taken as text: `sources` checks flags, variables and files alike, so that the errors read alike.

_GLOBAL = "Global options"
_LATER = "Accepted, but not built yet"


def _ignored(text: str) -> str:
    return f"{text} Accepted for compatibility; means nothing to a server."


Ip = Annotated[str | None, typer.Option("--ip", metavar="ADDRESS", help="Address to listen on. (default: 127.0.0.1)")]
Port = Annotated[
    str | None, typer.Option("--port", "-p", metavar="PORT", help="Port of the gRPC service; 0: any free one. (default: 7233)")
]
DevFile = Annotated[
    str | None,
    typer.Option("--db-filename", "-f", metavar="FILE", help="SQLite file that keeps everything. Without it nothing is kept."),
]
File = Annotated[
    str | None,
    typer.Option("--db-filename", "-f", metavar="FILE", help="SQLite file that keeps everything. (default: outlast.db)"),
]
DevNamespaces = Annotated[
    list[str] | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Namespace to create at the start, beside 'default'. Repeatable."),
]
Namespaces = Annotated[
    list[str] | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Namespace to create at the start. Repeatable. (default: default)"),
]
SearchAttributes = Annotated[
    list[str] | None,
    typer.Option(
        "--search-attribute",
        metavar="NAME=TYPE",
        help="Search attribute of those namespaces: Text, Keyword, Int, Double, Bool, Datetime or KeywordList. Repeatable.",
    ),
]
SqlitePragmas = Annotated[
    list[str] | None, typer.Option("--sqlite-pragma", metavar="PRAGMA=VALUE", help="Set on every connection to the file. Repeatable.")
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file. OUTLAST_* variables and flags win over it. (default: outlast.toml, if it exists)"
    ),
]
LogConfig = Annotated[bool, typer.Option("--log-config", help="Print the settings to standard error, as JSON.")]

DynamicConfig = Annotated[
    list[str] | None,
    typer.Option("--dynamic-config-value", metavar="KEY=VALUE", help="Dynamic configuration. Repeatable.", rich_help_panel=_LATER),
]
Headless = Annotated[bool, typer.Option("--headless", help="No web UI.", rich_help_panel=_LATER)]
HttpPort = Annotated[str | None, typer.Option("--http-port", metavar="PORT", help="Port of the HTTP API.", rich_help_panel=_LATER)]
MetricsPort = Annotated[str | None, typer.Option("--metrics-port", metavar="PORT", help="Port of /metrics.", rich_help_panel=_LATER)]
UiPort = Annotated[str | None, typer.Option("--ui-port", metavar="PORT", help="Port of the web UI.", rich_help_panel=_LATER)]
UiIp = Annotated[str | None, typer.Option("--ui-ip", metavar="ADDRESS", help="Address of the web UI.", rich_help_panel=_LATER)]
UiPublicPath = Annotated[
    str | None, typer.Option("--ui-public-path", metavar="PATH", help="Base path of the web UI.", rich_help_panel=_LATER)
]
UiAssetPath = Annotated[str | None, typer.Option("--ui-asset-path", metavar="PATH", help="Assets of the web UI.", rich_help_panel=_LATER)]
UiCodecEndpoint = Annotated[
    str | None, typer.Option("--ui-codec-endpoint", metavar="URL", help="Remote codec of the web UI.", rich_help_panel=_LATER)
]
UiDisableNewsFetch = Annotated[bool, typer.Option("--ui-disable-news-fetch", help="No news in the web UI.", rich_help_panel=_LATER)]

LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", metavar="LEVEL", help="debug, info, warn, error or never.", rich_help_panel=_GLOBAL),
]
LogFormat = Annotated[
    str | None, typer.Option("--log-format", metavar="FORMAT", help="text, pretty or json. (default: text)", rich_help_panel=_GLOBAL)
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FORMAT", help="What to print at the start: text, json, jsonl or none.", rich_help_panel=_GLOBAL
    ),
]
Color = Annotated[
    str | None, typer.Option("--color", metavar="WHEN", help="always, never or auto. (default: auto)", rich_help_panel=_GLOBAL)
]
TimeFormat = Annotated[str | None, typer.Option("--time-format", hidden=True, help=_ignored("How times are shown."))]
Env = Annotated[str | None, typer.Option("--env", hidden=True, help=_ignored("Environment of the client's settings."))]
EnvFile = Annotated[str | None, typer.Option("--env-file", hidden=True, help=_ignored("File of those environments."))]
ConfigFile = Annotated[str | None, typer.Option("--config-file", hidden=True, help=_ignored("Settings of the client."))]
Profile = Annotated[str | None, typer.Option("--profile", hidden=True, help=_ignored("Profile of the client's settings."))]
DisableConfigFile = Annotated[bool, typer.Option("--disable-config-file", hidden=True, help=_ignored("No client settings from a file."))]
DisableConfigEnv = Annotated[bool, typer.Option("--disable-config-env", hidden=True, help=_ignored("No client settings from variables."))]
CommandTimeout = Annotated[str | None, typer.Option("--command-timeout", hidden=True, help=_ignored("Bound on a client command."))]
ConnectTimeout = Annotated[str | None, typer.Option("--client-connect-timeout", hidden=True, help=_ignored("Bound on connecting."))]
NoJsonShorthand = Annotated[
    bool, typer.Option("--no-json-shorthand-payloads", hidden=True, help=_ignored("Payloads as they are in JSON output."))
]
