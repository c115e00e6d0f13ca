"""The programs of the README, run as a reader would: pasted into files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from outlast.cli.sources import from_file

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PROGRAMS = dict[str, str](re.findall(r"```python\n# (\w+\.py)\n(.*?)```", README, re.DOTALL))
SECONDS = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_the_readme_says(name: str, folder: Path) -> None:
    tested = name.startswith("test_")
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"] if tested else []

    done = subprocess.run([sys.executable, *how, name], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    if not tested:
        assert done.stdout.splitlines() == re.findall(r"\)  # (.+)", PROGRAMS[name])


def test_every_program_has_a_name_and_is_formatted() -> None:
    assert len(PROGRAMS) == README.count("```python")
    for name, text in PROGRAMS.items():
        formatted = subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--line-length", "140", "-"], input=text, capture_output=True, text=True, check=True
        ).stdout
        assert formatted == text, name


def test_the_settings_are_settings(tmp_path: Path) -> None:
    settings = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "outlast.toml").write_text(settings[0])

    assert len(settings) == 1
    assert from_file(tmp_path / "outlast.toml")["namespaces"] == ("default", "billing")


@pytest.mark.parametrize("page", [Path("README.md"), *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)\)", (ROOT / page).read_text())

    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_jobs_of_the_readme_are_jobs_of_dev_py() -> None:
    jobs = set(re.findall(r"python3 dev\.py ([\w-]+)", README))
    listed = re.search(r"^JOBS = \{(.*)\}$", (ROOT / "dev.py").read_text(), re.MULTILINE)

    assert listed is not None
    assert jobs == set(re.findall(r'"([\w-]+)"', listed[1]))
