"""The test server's command as an executable file, which is what the official SDK wants."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the package installs as `outlast-test-server`."""
    path: Path = tmp_path_factory.mktemp("bin") / "outlast-test-server"
    path.write_text(f"#!{sys.executable}\nfrom outlast.cli.test_server import main\n\nmain()\n")
    path.chmod(0o755)
    return str(path)
