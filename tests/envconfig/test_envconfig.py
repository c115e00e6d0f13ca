"""Settings from files and variables: the same profiles, and the same refusals, as the official SDK gives."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import temporalio.envconfig as official

from outlast import envconfig

FULL = """
[profile.default]
address = "localhost:7233"
namespace = "ns"
api_key = "key"
codec = { endpoint = "http://localhost", auth = "me" }
[profile.default.tls]
server_name = "name"
client_cert_path = "cert.pem"
client_key_data = "KEY"
server_ca_cert_data = ""
[profile.default.grpc_meta]
Some_Header = "a"
other = "b"
[profile.off]
tls = { disabled = true, disable_host_verification = true }
[profile.on]
address = ""
tls = { disabled = false }
[profile.empty]
[profile.bare.tls]
[profile.key]
api_key = "k"
"""
SOURCES: dict[str, str | bytes] = {
    "full": FULL,
    "bytes": FULL.encode(),
    "empty": "",
    "blank": " \n",
    "no profiles": "[other]\nx = 1",
    "unknown in profile": "[profile.default]\nfoo = 5",
    "unknown in tls": "[profile.default.tls]\nfoo = 5",
    "unknown in codec": "[profile.default.codec]\nfoo = 5",
    "unknown at all": "foo = 5",
    "wrong type": "[profile.default]\naddress = 5",
    "wrong type of switch": "[profile.default.tls]\ndisabled = 'yes'",
    "wrong type of header": "[profile.default.grpc_meta]\na = 1",
    "wrong type of profile": "[profile]\ndefault = 1",
    "wrong type of profiles": "profile = 1",
    "no toml": "x = [",
    "no text": b"\xff",
    "two certificates": "[profile.default.tls]\nclient_cert_path = 'a'\nclient_cert_data = 'b'",
    "two keys": "[profile.default.tls]\nclient_key_path = 'a'\nclient_key_data = 'b'",
    "two authorities": "[profile.default.tls]\nserver_ca_cert_path = 'a'\nserver_ca_cert_data = 'b'",
}
ENVIRONMENTS: list[Mapping[str, str]] = [
    {},
    {"TEMPORAL_PROFILE": "off"},
    {"TEMPORAL_PROFILE": "missing"},
    {"TEMPORAL_PROFILE": ""},
    {"TEMPORAL_ADDRESS": "a:1", "TEMPORAL_NAMESPACE": "n", "TEMPORAL_API_KEY": "k"},
    {"TEMPORAL_ADDRESS": ""},
    {"TEMPORAL_TLS": "true"},
    {"TEMPORAL_TLS": "FALSE"},
    {"TEMPORAL_TLS": "0"},
    {"TEMPORAL_TLS": "maybe"},
    {"TEMPORAL_TLS_SERVER_NAME": "s"},
    {"TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"},
    {"TEMPORAL_TLS_CLIENT_CERT_PATH": "p"},
    {"TEMPORAL_TLS_CLIENT_CERT_DATA": "d"},
    {"TEMPORAL_TLS_CLIENT_KEY_PATH": "p"},
    {"TEMPORAL_TLS_CLIENT_KEY_DATA": "d"},
    {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "p"},
    {"TEMPORAL_TLS_SERVER_CA_CERT_DATA": "d"},
    {"TEMPORAL_TLS_CLIENT_CERT_PATH": "p", "TEMPORAL_TLS_CLIENT_CERT_DATA": "d"},
    {"TEMPORAL_GRPC_META_SOME_HEADER": "", "TEMPORAL_GRPC_META_NEW_ONE": "v"},
    {"TEMPORAL_CODEC_ENDPOINT": "e"},
]


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or how it refuses. What a TOML parser says is its own affair."""
    try:
        return _plain(call())
    except RuntimeError as error:
        assert str(error)
        return "refused", str(error) if "loading error" not in str(error) else "loading error"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", list(SOURCES))
def test_profiles_are_those_that_the_official_sdk_loads(name: str, strict: bool) -> None:
    def load(module: ModuleType) -> Any:
        return module.ClientConfig.load(config_source=SOURCES[name], config_file_strict=strict, override_env_vars={})

    assert _outcome(lambda: load(envconfig)) == _outcome(lambda: load(official))
    if name == "full":
        assert set(load(envconfig).profiles) == {"default", "off", "on", "empty", "bare", "key"}


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_variables_override_a_profile_as_in_the_official_sdk(environment: Mapping[str, str]) -> None:
    for profile in (None, "default", "off", "bare", "missing", ""):
        for switches in ({}, {"disable_env": True}, {"disable_file": True}, {"disable_file": True, "disable_env": True}):

            def load(module: ModuleType, profile: str | None = profile, switches: Any = switches) -> Any:
                loaded = module.ClientConfigProfile.load(profile, config_source=FULL, override_env_vars=environment, **switches)
                return loaded, loaded.to_dict()

            ours, theirs = _outcome(lambda load=load: load(envconfig)), _outcome(lambda load=load: load(official))  # type: ignore[misc]
            assert tuple(map(_plain, ours)) == tuple(map(_plain, theirs)), (profile, switches)


def test_a_profile_becomes_the_arguments_of_connect(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("CERT")
    file = tmp_path / "temporal.toml"
    file.write_text(FULL.replace("cert.pem", str(tmp_path / "cert.pem")))

    for profile in ("default", "off", "on", "empty", "bare", "key"):
        ours = envconfig.ClientConfig.load_client_connect_config(profile, config_file=str(file), override_env_vars={})
        theirs = official.ClientConfig.load_client_connect_config(profile, config_file=str(file), override_env_vars={})
        tls, their_tls = ours.pop("tls", None), theirs.pop("tls", None)
        assert ours == theirs
        assert type(tls).__name__ == type(their_tls).__name__
        if dataclasses.is_dataclass(tls) and dataclasses.is_dataclass(their_tls):
            assert _plain(tls) == _plain(their_tls)
        else:
            assert tls is their_tls


def test_the_file_is_looked_for_where_it_is_said_and_then_where_users_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, usual = tmp_path / "said.toml", tmp_path / "temporalio" / "temporal.toml"
    usual.parent.mkdir()
    said.write_text("[profile.default]\naddress = 'said'")
    usual.write_text("[profile.default]\naddress = 'usual'")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")

    for module in (envconfig, official):
        assert module.ClientConfigProfile.load(override_env_vars={}).address == "usual"  # type: ignore[attr-defined]
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(said))
        assert module.ClientConfigProfile.load().address == "said"  # type: ignore[attr-defined]
        assert module.ClientConfigProfile.load(disable_env=True).address == "said"  # type: ignore[attr-defined]
        assert module.ClientConfigProfile.load(config_source=usual).address == "usual"  # type: ignore[attr-defined]
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "missing"))
        assert module.ClientConfig.load().profiles == {}  # type: ignore[attr-defined]
        monkeypatch.delenv("TEMPORAL_CONFIG_FILE")


def test_what_is_loaded_can_be_written_and_read_again() -> None:
    config = envconfig.ClientConfig.load(config_source=FULL, override_env_vars={})
    again = envconfig.ClientConfig.from_dict(config.to_dict())

    assert again.to_dict() == config.to_dict()
    assert envconfig.ClientConfigTLS.from_dict({}) is None
    tls = envconfig.ClientConfigTLS(server_root_ca_cert="CA", client_cert=Path("x"), client_private_key=b"K")
    assert tls.to_dict() == {"server_ca_cert": {"data": "CA"}, "client_cert": {"path": "x"}, "client_key": {"data": "K"}}


def test_a_source_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"one of pathlib.Path, str"):
        envconfig.ClientConfigProfile.load(config_source=5)  # type: ignore[arg-type]
