"""The scenarios with the official SDK in place of ours."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def official_scenarios() -> ModuleType:
    """The module `scenarios` with the official SDK's names in it."""
    name = "official_scenarios"
    if name not in sys.modules:
        source = (HERE / "scenarios.py").read_text().replace("from outlast", "from temporalio")
        spec = importlib.util.spec_from_loader(name, None)
        assert spec is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        exec(compile(source, str(HERE / f"{name}.py"), "exec"), module.__dict__)
    return sys.modules[name]
