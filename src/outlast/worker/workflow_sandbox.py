"""The names of the official sandbox. Here workflows run in the program's own interpreter, and a guard stands for the sandbox."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, ClassVar

from outlast.worker._runner import WorkflowRunner


@dataclass(frozen=True)
class SandboxMatcher:
    """Names of modules and members. Kept, and not used: nothing is imported anew here."""

    access: Set[str] = frozenset()
    use: Set[str] = frozenset()
    children: Mapping[str, SandboxMatcher] = field(default_factory=dict)

    @staticmethod
    def nested_child(path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A matcher for something within something."""
        for name in reversed(path):
            child = SandboxMatcher(children={name: child})
        return child

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        return SandboxMatcher(self.access | other.access, self.use | other.use, {**self.children, **other.children})


@dataclass(frozen=True)
class SandboxRestrictions:
    """What the official sandbox lets through. Modules are never imported anew here, so that all of them pass through."""

    passthrough_modules: Set[str] = frozenset()
    invalid_modules: SandboxMatcher = field(default_factory=SandboxMatcher)
    invalid_module_members: SandboxMatcher = field(default_factory=SandboxMatcher)
    passthrough_all_modules: bool = False

    default: ClassVar[SandboxRestrictions]
    passthrough_modules_minimum: ClassVar[Set[str]] = frozenset()
    passthrough_modules_default: ClassVar[Set[str]] = frozenset()
    invalid_module_members_default: ClassVar[SandboxMatcher] = SandboxMatcher()

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """A copy that names these modules, too."""
        return dataclasses.replace(self, passthrough_modules=self.passthrough_modules | set(modules))

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """A copy that names all modules."""
        return dataclasses.replace(self, passthrough_all_modules=True)


SandboxRestrictions.default = SandboxRestrictions()


class SandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows with the guard on."""

    def __init__(self, *, restrictions: SandboxRestrictions = SandboxRestrictions.default, runner_class: type[Any] | None = None) -> None:
        """Keep both; they change nothing."""
        self.restrictions = restrictions
        self.runner_class = runner_class
