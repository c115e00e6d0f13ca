"""The names of the official sandbox. Here workflows run in the program's own interpreter, and a guard stands for the sandbox."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, ClassVar

from outlast.worker._runner import WorkflowRunner
from outlast.workflow import SandboxImportNotificationPolicy


@dataclass(frozen=True)
class SandboxMatcher:
    """Names of modules and members. Kept, and not used: nothing is imported anew here."""

    access: Set[str] = frozenset()
    use: Set[str] = frozenset()
    children: Mapping[str, SandboxMatcher] = field(default_factory=dict)
    match_self: bool = False
    only_runtime: bool = False
    leaf_message: str | None = None
    leaf_warning: type[Warning] | None = None
    exclude: Set[str] = frozenset()

    all: ClassVar[SandboxMatcher]
    all_runtime: ClassVar[SandboxMatcher]
    none: ClassVar[SandboxMatcher]
    all_uses: ClassVar[SandboxMatcher]
    all_uses_runtime: ClassVar[SandboxMatcher]

    @staticmethod
    def nested_child(path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A matcher for something within something."""
        for name in reversed(path):
            child = SandboxMatcher(children={name: child})
        return child

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        return SandboxMatcher(self.access | other.access, self.use | other.use, {**self.children, **other.children})

    def with_child_unrestricted(self, *child_path: str) -> SandboxMatcher:
        """A copy that does not name what lies at this path."""
        name, *rest = child_path
        if rest:
            child = self.children.get(name)
            if child is None:
                return self
            return dataclasses.replace(self, children={**self.children, name: child.with_child_unrestricted(*rest)})
        children = {key: child for key, child in self.children.items() if key != name}
        return dataclasses.replace(self, access=self.access - {name}, use=self.use - {name}, children=children)


SandboxMatcher.all = SandboxMatcher(match_self=True)
SandboxMatcher.all_runtime = SandboxMatcher(match_self=True, only_runtime=True)
SandboxMatcher.none = SandboxMatcher()
SandboxMatcher.all_uses = SandboxMatcher(use={"*"})
SandboxMatcher.all_uses_runtime = SandboxMatcher(use={"*"}, only_runtime=True)


@dataclass(frozen=True)
class SandboxRestrictions:
    """What the official sandbox lets through. Modules are never imported anew here, so that all of them pass through."""

    passthrough_modules: Set[str] = frozenset()
    invalid_modules: SandboxMatcher = field(default_factory=SandboxMatcher)
    invalid_module_members: SandboxMatcher = field(default_factory=SandboxMatcher)
    import_notification_policy: SandboxImportNotificationPolicy = SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    passthrough_all_modules: bool = False
    disable_lazy_sys_module_passthrough: bool = False

    default: ClassVar[SandboxRestrictions]
    passthrough_modules_minimum: ClassVar[Set[str]] = frozenset()
    passthrough_modules_with_temporal: ClassVar[Set[str]] = frozenset()
    passthrough_modules_maximum: ClassVar[Set[str]] = frozenset()
    passthrough_modules_default: ClassVar[Set[str]] = frozenset()
    invalid_module_members_default: ClassVar[SandboxMatcher] = SandboxMatcher()

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """A copy that names these modules, too."""
        return dataclasses.replace(self, passthrough_modules=self.passthrough_modules | set(modules))

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """A copy that names all modules."""
        return dataclasses.replace(self, passthrough_all_modules=True)

    def with_import_notification_policy(self, policy: SandboxImportNotificationPolicy) -> SandboxRestrictions:
        """A copy with this policy."""
        return dataclasses.replace(self, import_notification_policy=policy)


SandboxRestrictions.default = SandboxRestrictions()


class SandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows with the guard on."""

    def __init__(self, *, restrictions: SandboxRestrictions = SandboxRestrictions.default, runner_class: type[Any] | None = None) -> None:
        """Keep both; they change nothing."""
        self.restrictions = restrictions
        self.runner_class = runner_class
