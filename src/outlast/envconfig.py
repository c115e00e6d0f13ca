"""Settings of clients from `temporal.toml` and from environment variables `TEMPORAL_…`, as all Temporal tools read them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, TypedDict, cast

import outlast.service

DataSource: TypeAlias = Path | str | bytes
"""A file, or what would be in it."""

_DEFAULT_PROFILE = "default"
_META_PREFIX = "TEMPORAL_GRPC_META_"


class ConfigError(RuntimeError):
    """The settings contradict one another, or cannot be read. The message says where; mend the file or the variable."""


class ClientConfigTLSDict(TypedDict, total=False):
    """Settings of TLS as they stand in a file."""

    disabled: bool | None
    server_name: str
    server_ca_cert: Mapping[str, str]
    client_cert: Mapping[str, str]
    client_key: Mapping[str, str]


class ClientConfigProfileDict(TypedDict, total=False):
    """A profile as it stands in a file."""

    address: str
    namespace: str
    api_key: str
    tls: ClientConfigTLSDict
    grpc_meta: Mapping[str, str]


@dataclass(frozen=True)
class ClientConfigTLS:
    """Settings of TLS."""

    disabled: bool | None = None
    """True to go without TLS, False to insist on it; None if nothing is said."""
    server_name: str | None = None
    """Name of the server to ask for, in place of its address."""
    server_root_ca_cert: DataSource | None = None
    """Certificate of the authority that the server's is checked with."""
    client_cert: DataSource | None = None
    """Certificate of the client."""
    client_private_key: DataSource | None = None
    """Key of the client's certificate."""

    def to_dict(self) -> ClientConfigTLSDict:
        """The settings as they stand in a file."""
        said: dict[str, Any] = {"disabled": self.disabled, "server_name": self.server_name}
        sources = {"server_ca_cert": self.server_root_ca_cert, "client_cert": self.client_cert, "client_key": self.client_private_key}
        said |= {key: _source_to_dict(source) for key, source in sources.items() if source is not None}
        return cast(ClientConfigTLSDict, {key: value for key, value in said.items() if value is not None})

    def to_connect_tls_config(self) -> bool | outlast.service.TLSConfig:
        """What `outlast.client.Client.connect` takes as `tls`. Files are read."""
        if self.disabled is True:
            return False
        return outlast.service.TLSConfig(
            domain=self.server_name,
            server_root_ca_cert=_read_source(self.server_root_ca_cert),
            client_cert=_read_source(self.client_cert),
            client_private_key=_read_source(self.client_private_key),
        )

    @classmethod
    def from_dict(cls, d: ClientConfigTLSDict | None) -> Self | None:
        """The settings that stand in a file; None if there are none."""
        if not d:
            return None
        return cls(
            disabled=d.get("disabled"),
            server_name=d.get("server_name"),
            server_root_ca_cert=_dict_to_source(d.get("server_ca_cert")),
            client_cert=_dict_to_source(d.get("client_cert")),
            client_private_key=_dict_to_source(d.get("client_key")),
        )


class ClientConnectConfig(TypedDict, total=False):
    """Those arguments of `outlast.client.Client.connect` that can be set from outside."""

    target_host: str
    namespace: str
    api_key: str
    tls: bool | outlast.service.TLSConfig
    rpc_metadata: Mapping[str, str]


@dataclass(frozen=True)
class ClientConfigProfile:
    """The settings of one profile."""

    address: str | None = None
    """Host and port of the server."""
    namespace: str | None = None
    """Namespace to work in."""
    api_key: str | None = None
    """Key to send with every call."""
    tls: ClientConfigTLS | None = None
    """Settings of TLS."""
    grpc_meta: Mapping[str, str] = field(default_factory=dict)
    """Headers to send with every call."""

    @classmethod
    def from_dict(cls, d: ClientConfigProfileDict) -> Self:
        """The profile that stands in a file."""
        return cls(
            address=d.get("address"),
            namespace=d.get("namespace"),
            api_key=d.get("api_key"),
            tls=ClientConfigTLS.from_dict(d.get("tls")),
            grpc_meta=d.get("grpc_meta") or {},
        )

    def to_dict(self) -> ClientConfigProfileDict:
        """The profile as it stands in a file."""
        said: dict[str, Any] = {"address": self.address, "namespace": self.namespace, "api_key": self.api_key}
        said = {key: value for key, value in said.items() if value is not None}
        if self.tls and (tls := self.tls.to_dict()):
            said["tls"] = tls
        if self.grpc_meta:
            said["grpc_meta"] = self.grpc_meta
        return cast(ClientConfigProfileDict, said)

    def to_client_connect_config(self) -> ClientConnectConfig:
        """Arguments for `outlast.client.Client.connect`. With an API key TLS is on, unless it is said to be off."""
        config: ClientConnectConfig = {}
        if self.address:
            config["target_host"] = self.address
        if self.namespace is not None:
            config["namespace"] = self.namespace
        if self.api_key is not None:
            config["api_key"] = self.api_key
            config["tls"] = True
        if self.tls is not None:
            config["tls"] = self.tls.to_connect_tls_config()
        if self.grpc_meta:
            config["rpc_metadata"] = self.grpc_meta
        return config

    @staticmethod
    def load(
        profile: str | None = None,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfigProfile:
        """Load a profile from a file, and put what environment variables say in its place.

        Args:
            profile: Its name; otherwise that in `TEMPORAL_PROFILE`, or `default`, which need not exist.
            config_source: The file or its content; otherwise the file in `TEMPORAL_CONFIG_FILE`, or the one in the user's
                configuration directory. A file that does not exist is as good as an empty one.
            disable_file: Look at no file.
            disable_env: Look at no variable but `TEMPORAL_CONFIG_FILE`.
            config_file_strict: Refuse files with settings that are not known.
            override_env_vars: The variables to look at, in place of those of the process.

        Raises:
            RuntimeError: The profile does not exist, or the settings cannot be read (`ConfigError`).
        """
        if disable_file and disable_env:
            raise ConfigError("Invalid configuration: Cannot disable both file and environment loading")
        env = _environment(override_env_vars)
        loaded = ClientConfigProfile()
        if not disable_file:
            profiles = _load_profiles(config_source, config_file_strict, env)
            name = profile if profile is not None else (None if disable_env else env.get("TEMPORAL_PROFILE")) or None
            if name is not None and name not in profiles:
                raise ConfigError(f"Profile '{name}' not found")
            loaded = profiles.get(_DEFAULT_PROFILE if name is None else name, loaded)
        return loaded if disable_env else _with_environment(loaded, env)


@dataclass
class ClientConfig:
    """All profiles of a file."""

    profiles: Mapping[str, ClientConfigProfile]
    """The profiles, by name."""

    def to_dict(self) -> Mapping[str, ClientConfigProfileDict]:
        """The profiles as they stand in a file."""
        return {name: profile.to_dict() for name, profile in self.profiles.items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, Mapping[str, Any]]) -> Self:
        """The profiles that stand in a file."""
        return cls({name: ClientConfigProfile.from_dict(cast(ClientConfigProfileDict, profile)) for name, profile in d.items()})

    @staticmethod
    def load(
        *,
        config_source: DataSource | None = None,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfig:
        """Load all profiles of a file. No environment variable is looked at but `TEMPORAL_CONFIG_FILE`.

        Args:
            config_source: The file or its content; otherwise the file in `TEMPORAL_CONFIG_FILE`, or the one in the user's
                configuration directory. A file that does not exist is as good as an empty one.
            config_file_strict: Refuse files with settings that are not known.
            override_env_vars: The variables to look at, in place of those of the process.

        Raises:
            RuntimeError: The file cannot be read (`ConfigError`).
        """
        return ClientConfig(_load_profiles(config_source, config_file_strict, _environment(override_env_vars)))

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: str | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Load a profile as arguments for `outlast.client.Client.connect`. See `ClientConfigProfile.load`.

        `config_file` is the path of the file.
        """
        return ClientConfigProfile.load(
            profile=profile,
            config_source=Path(config_file) if config_file and not disable_file else None,
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


def _environment(given: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if given is None else given


def _load_profiles(source: DataSource | None, strict: bool, env: Mapping[str, str]) -> dict[str, ClientConfigProfile]:
    if source is None:
        source = Path(env.get("TEMPORAL_CONFIG_FILE") or _default_file())
    if isinstance(source, Path) and not source.exists():
        return {}
    try:
        document = tomllib.loads((_read_source(source) or b"").decode())
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"Configuration loading error: TOML parse error: {err}") from err
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"Configuration loading error: {err}") from err
    checked = _checked(document, {"profile": dict}, strict, "the file")
    return {name: _profile(name, table, strict) for name, table in checked.get("profile", {}).items()}


def _default_file() -> Path:
    """Where the Temporal tools keep their settings."""
    if sys.platform == "darwin":
        directory = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        directory = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        given = os.environ.get("XDG_CONFIG_HOME", "")
        directory = Path(given) if given.startswith("/") else Path.home() / ".config"
    return directory / "temporalio" / "temporal.toml"


_PROFILE = {"address": str, "namespace": str, "api_key": str, "tls": dict, "codec": dict, "grpc_meta": dict}
_SOURCES: tuple[Literal["client_cert", "client_key", "server_ca_cert"], ...] = ("client_cert", "client_key", "server_ca_cert")
_TLS = {"disabled": bool, "server_name": str, "disable_host_verification": bool} | {
    f"{source}_{kind}": str for source in _SOURCES for kind in ("path", "data")
}
_CODEC = {"endpoint": str, "auth": str}


def _profile(name: str, table: Any, strict: bool) -> ClientConfigProfile:
    where = f"profile.{name}"
    if not isinstance(table, dict):
        raise ConfigError(f"Configuration loading error: {where} is no table")
    said = _checked(table, _PROFILE, strict, where)
    _checked(said.get("codec", {}), _CODEC, strict, f"{where}.codec")
    meta = said.get("grpc_meta", {})
    _checked(meta, dict.fromkeys(meta, str), strict, f"{where}.grpc_meta")
    return ClientConfigProfile(
        address=said.get("address"),
        namespace=said.get("namespace"),
        api_key=said.get("api_key"),
        tls=_tls(_checked(said["tls"], _TLS, strict, f"{where}.tls")) if "tls" in said else None,
        grpc_meta={_header(key): value for key, value in meta.items()},
    )


def _checked(table: Mapping[str, Any], types: Mapping[str, type], strict: bool, where: str) -> Mapping[str, Any]:
    """The table, if what is in it has the right types and, if that is asked for, the right names."""
    for key, value in table.items():
        if key not in types:
            if strict:
                raise ConfigError(f"Configuration loading error: unknown field `{key}` in {where}, expected one of {', '.join(types)}")
        elif not isinstance(value, types[key]):
            raise ConfigError(f"Configuration loading error: `{key}` in {where} must be {types[key].__name__}, is {value!r}")
    return table


def _tls(said: Mapping[str, Any]) -> ClientConfigTLS:
    sources: dict[str, DataSource | None] = {}
    for name in _SOURCES:
        path, data = said.get(f"{name}_path"), said.get(f"{name}_data")
        if path is not None and data is not None:
            raise ConfigError(f"Invalid configuration: Cannot specify both {name}_path and {name}_data")
        sources[name] = Path(path) if path is not None else data.encode() if data else None
    return ClientConfigTLS(
        disabled=said.get("disabled"),
        server_name=said.get("server_name"),
        server_root_ca_cert=sources["server_ca_cert"],
        client_cert=sources["client_cert"],
        client_private_key=sources["client_key"],
    )


def _with_environment(profile: ClientConfigProfile, env: Mapping[str, str]) -> ClientConfigProfile:
    meta = dict(profile.grpc_meta)
    for variable, value in env.items():
        if variable.startswith(_META_PREFIX):
            header = _header(variable.removeprefix(_META_PREFIX))
            if value:
                meta[header] = value
            else:
                meta.pop(header, None)
    return ClientConfigProfile(
        address=env.get("TEMPORAL_ADDRESS", profile.address),
        namespace=env.get("TEMPORAL_NAMESPACE", profile.namespace),
        api_key=env.get("TEMPORAL_API_KEY", profile.api_key),
        tls=_tls_with_environment(profile.tls, env),
        grpc_meta=meta,
    )


_TLS_VARIABLES = frozenset(
    {"TEMPORAL_TLS", "TEMPORAL_TLS_SERVER_NAME", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"}
    | {f"TEMPORAL_TLS_{source.upper()}_{kind}" for source in _SOURCES for kind in ("PATH", "DATA")}
)
_SWITCHES = {"true": True, "1": True, "false": False, "0": False}


def _tls_with_environment(tls: ClientConfigTLS | None, env: Mapping[str, str]) -> ClientConfigTLS | None:
    if tls is None:
        if _TLS_VARIABLES.isdisjoint(env):
            return None
        tls = ClientConfigTLS()
    switch = _SWITCHES.get(env.get("TEMPORAL_TLS", "").lower())
    return replace(
        tls,
        disabled=tls.disabled if switch is None else not switch,
        server_name=env.get("TEMPORAL_TLS_SERVER_NAME", tls.server_name),
        client_cert=_source_with_environment("cert", "CLIENT_CERT", tls.client_cert, env),
        client_private_key=_source_with_environment("key", "CLIENT_KEY", tls.client_private_key, env),
        server_root_ca_cert=_source_with_environment("server CA cert", "SERVER_CA_CERT", tls.server_root_ca_cert, env),
    )


def _source_with_environment(what: str, name: str, source: DataSource | None, env: Mapping[str, str]) -> DataSource | None:
    path_variable, data_variable = f"TEMPORAL_TLS_{name}_PATH", f"TEMPORAL_TLS_{name}_DATA"
    path, data = env.get(path_variable), env.get(data_variable)
    if path is not None and data is not None:
        raise ConfigError(f"Invalid configuration: Cannot specify both {path_variable} and {data_variable}")
    if path is not None:
        if isinstance(source, bytes):
            raise ConfigError(
                f"Invalid configuration: Cannot specify {what} path via {path_variable} when {what} data is already specified"
            )
        return Path(path)
    if data is not None:
        if isinstance(source, Path):
            raise ConfigError(
                f"Invalid configuration: Cannot specify {what} data via {data_variable} when {what} path is already specified"
            )
        return data.encode()
    return source


def _header(key: str) -> str:
    return key.lower().replace("_", "-")


def _dict_to_source(d: Mapping[str, Any] | None) -> DataSource | None:
    if not d:
        return None
    if "data" in d:
        return cast(DataSource, d["data"])
    return Path(d["path"]) if "path" in d else None


def _source_to_dict(source: DataSource) -> Mapping[str, str]:
    if isinstance(source, Path):
        return {"path": str(source)}
    return {"data": source.decode() if isinstance(source, bytes) else source}


def _read_source(source: DataSource | None) -> bytes | None:
    if source is None or isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        return source.read_bytes()
    if isinstance(source, str):
        return source.encode()
    raise TypeError(f"Source must be one of pathlib.Path, str, or bytes, but got {type(source).__name__}")
