"""`outlast server ...`: from flags to a server that runs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from outlast.cli import flags

app = typer.Typer(no_args_is_help=True, help="Run a server.")
CONFIG_FILE = Path("outlast.toml")
DATABASE_FILE = "outlast.db"
DEV_NAMESPACE = "default"
"""Every development server has it."""


@app.command("start-dev")
def start_dev(
    ctx: typer.Context,
    port: flags.Port = None,
    ip: flags.Ip = None,
    db_filename: flags.DevFile = None,
    namespaces: flags.DevNamespaces = None,
    search_attributes: flags.SearchAttributes = None,
    sqlite_pragmas: flags.SqlitePragmas = None,
    log_config: flags.LogConfig = False,
    dynamic_config: flags.DynamicConfig = None,
    headless: flags.Headless = False,
    http_port: flags.HttpPort = None,
    metrics_port: flags.MetricsPort = None,
    ui_port: flags.UiPort = None,
    ui_ip: flags.UiIp = None,
    ui_public_path: flags.UiPublicPath = None,
    ui_asset_path: flags.UiAssetPath = None,
    ui_codec_endpoint: flags.UiCodecEndpoint = None,
    ui_disable_news_fetch: flags.UiDisableNewsFetch = False,
    log_level: flags.LogLevel = None,
    log_format: flags.LogFormat = None,
    output: flags.Output = None,
    color: flags.Color = None,
    time_format: flags.TimeFormat = None,
    env: flags.Env = None,
    env_file: flags.EnvFile = None,
    config_file: flags.ConfigFile = None,
    profile: flags.Profile = None,
    disable_config_file: flags.DisableConfigFile = False,
    disable_config_env: flags.DisableConfigEnv = False,
    command_timeout: flags.CommandTimeout = None,
    client_connect_timeout: flags.ConnectTimeout = None,
    no_json_shorthand_payloads: flags.NoJsonShorthand = False,
) -> None:
    """Run a development server: everything in memory unless a file is named.

    Takes the flags of `temporal server start-dev`.
    """
    from outlast.cli import sources

    typed = _setting_flags(ctx)
    typed["namespaces"] = list(dict.fromkeys([DEV_NAMESPACE, *(namespaces or ())]))
    _serve(ctx, [{"log_level": "warn"}, sources.from_flags(typed)], [])


@app.command("start")
def start(
    ctx: typer.Context,
    config: flags.Config = None,
    port: flags.Port = None,
    ip: flags.Ip = None,
    db_filename: flags.File = None,
    namespaces: flags.Namespaces = None,
    search_attributes: flags.SearchAttributes = None,
    sqlite_pragmas: flags.SqlitePragmas = None,
    log_config: flags.LogConfig = False,
    dynamic_config: flags.DynamicConfig = None,
    headless: flags.Headless = False,
    http_port: flags.HttpPort = None,
    metrics_port: flags.MetricsPort = None,
    ui_port: flags.UiPort = None,
    ui_ip: flags.UiIp = None,
    ui_public_path: flags.UiPublicPath = None,
    ui_asset_path: flags.UiAssetPath = None,
    ui_codec_endpoint: flags.UiCodecEndpoint = None,
    ui_disable_news_fetch: flags.UiDisableNewsFetch = False,
    log_level: flags.LogLevel = None,
    log_format: flags.LogFormat = None,
    output: flags.Output = None,
    color: flags.Color = None,
) -> None:
    """Run a server that keeps everything in a file.

    Settings come from a TOML file, then OUTLAST_* variables (OUTLAST_PORT, OUTLAST_NAMESPACES=a,b ...), then flags;
    the later one wins. Relative file names are relative to the working directory.
    """
    from outlast.cli import sources

    layers: list[Mapping[str, object]] = [{"db_filename": DATABASE_FILE}]
    path = config or os.environ.get(sources.CONFIG_VARIABLE)
    if path or CONFIG_FILE.exists():
        layers.append(sources.from_file(Path(path or CONFIG_FILE)))
    layers.append(sources.from_environment(os.environ))
    layers.append(sources.from_flags(_setting_flags(ctx)))
    unknown = sources.unknown_variables(os.environ)
    _serve(ctx, layers, [f"{name} is not a setting of Outlast; it is ignored" for name in unknown])


def _setting_flags(ctx: typer.Context) -> dict[str, object]:
    from outlast.cli.settings import ServerSettings

    return {name: value for name, value in ctx.params.items() if name in ServerSettings.__struct_fields__}


def _serve(ctx: typer.Context, layers: Sequence[Mapping[str, object]], warnings: Sequence[str]) -> None:
    from outlast.cli import sources
    from outlast.cli.banner import Face, choice
    from outlast.cli.serve import serve
    from outlast.cli.switches import check_switches

    face = Face(
        output=choice("--output", ctx.params["output"], "text", "json", "jsonl", "none"),
        color=choice("--color", ctx.params["color"], "auto", "always", "never"),
    )
    settings = sources.merge(*layers)
    check_switches(settings.dynamic_config)
    raise typer.Exit(serve(settings, face, print_settings=ctx.params["log_config"], warnings=warnings))
