"""The names of the official sandbox: settings made for it can be made here, too."""

import dataclasses
import inspect

import temporalio.worker.workflow_sandbox as official

from outlast.worker import workflow_sandbox
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxMatcher, SandboxRestrictions
from outlast.workflow import SandboxImportNotificationPolicy


def test_settings_have_the_official_fields_and_constants() -> None:
    for name in ("SandboxMatcher", "SandboxRestrictions"):
        theirs, ours = getattr(official, name), getattr(workflow_sandbox, name)
        assert [field.name for field in dataclasses.fields(ours)] == [field.name for field in dataclasses.fields(theirs)]
        made_for_use = {"access_matcher", "child_matcher", "match_access"}  # by the sandbox itself
        assert {member for member in dir(theirs) if member[0] != "_"} - set(dir(ours)) == made_for_use & set(dir(theirs))
    assert (
        inspect.signature(SandboxedWorkflowRunner).parameters.keys()
        == inspect.signature(official.SandboxedWorkflowRunner).parameters.keys()
    )


def test_a_matcher_forgets_what_is_unrestricted() -> None:
    for module in (official, workflow_sandbox):
        matcher = module.SandboxMatcher(
            access={"os", "re"},
            use={"os"},
            children={"os": module.SandboxMatcher(use={"getpid", "getcwd"}), "io": module.SandboxMatcher.all},
        )
        without = matcher.with_child_unrestricted("os", "getpid").with_child_unrestricted("io").with_child_unrestricted("re", "nothing")
        assert (without.access, without.use) == ({"os", "re"}, {"os"})
        assert list(without.children) == ["os"]
        assert without.children["os"].use == {"getcwd"}
        assert matcher.with_child_unrestricted("os").access == {"re"}


def test_restrictions_are_changed_in_copies() -> None:
    changed = SandboxRestrictions.default.with_passthrough_modules("mine").with_import_notification_policy(
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    )
    changed = dataclasses.replace(
        changed, invalid_module_members=SandboxRestrictions.invalid_module_members_default | SandboxMatcher.all_uses
    )

    assert changed.passthrough_modules == {"mine"}
    assert changed.import_notification_policy is SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    assert changed.invalid_module_members.use == {"*"}
    assert SandboxRestrictions.default.passthrough_modules == set()
