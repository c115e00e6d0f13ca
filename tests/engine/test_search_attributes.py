"""Search attributes and memo: checked, typed, merged, and dropped when set to nothing."""

import pytest
from temporalio.api.command.v1 import Command, UpsertWorkflowSearchAttributesCommandAttributes
from temporalio.api.common.v1 import Memo, Payload, SearchAttributes
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause

from outlast.engine import limits, search_attributes
from outlast.engine.refusals import InvalidArgument
from outlast.engine.search_attributes import admit
from tests.engine import ask
from tests.engine.given import NAMESPACE, Given, attributes, do, given_started, news, payload, signal

Cause = WorkflowTaskFailedCause


def fields(**values: str) -> SearchAttributes:
    return SearchAttributes(indexed_fields={key: payload(data) for key, data in values.items()})


def stored(given: Given, key: str) -> Payload:
    return Payload.FromString(given.execution.search_attributes[key])


@pytest.mark.parametrize(
    "name, data",
    [
        ("Text", '"some words"'),
        ("Keyword", '"a"'),
        ("Keyword", '["a"]'),
        ("Int", "5"),
        ("Int", "[5]"),
        ("Double", "1.5"),
        ("Double", "1"),
        ("Bool", "true"),
        ("Datetime", '"2026-01-01T12:00:00Z"'),
        ("Datetime", '"2026-01-01T12:00:00.123456789+02:00"'),
        ("Keywords", '["a", "b"]'),
        ("Int", "null"),
        ("Int", "[]"),
        ("Int", ""),
        ("BuildIds", '["a"]'),
    ],
)
def test_a_value_that_fits_is_taken_and_told_its_type(name: str, data: str) -> None:
    taken = admit(fields(**{name: data}), NAMESPACE)

    types = {"Keywords": b"KeywordList", "BuildIds": b"KeywordList"}
    assert taken.indexed_fields[name].metadata["type"] == types.get(name, name.encode())


@pytest.mark.parametrize(
    "name, data, shown",
    [
        ("Text", "5", "5"),
        ("Keyword", '["a", "b"]', "[a b]"),
        ("Int", '"5"', "5"),
        ("Int", "1.5", "1.5"),
        ("Int", "true", "true"),
        ("Double", '"x"', "x"),
        ("Bool", "1", "1"),
        ("Bool", '"true"', "true"),
        ("Datetime", '"yesterday"', "yesterday"),
        ("Datetime", '"2026-01-01T12:00:00"', "2026-01-01T12:00:00"),
        ("Datetime", "5", "5"),
        ("Keywords", '["a", 5]', "[a 5]"),
        ("Keyword", "not json", "not json"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, data: str, shown: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        admit(fields(**{name: data}), NAMESPACE)

    kind = {"Keywords": "KeywordList"}.get(name, name)
    assert refusal.value.message == f"invalid value for search attribute {name} of type {kind}: {shown}"


@pytest.mark.parametrize(
    "name, text",
    [
        ("Nowhere", "Namespace default has no mapping defined for search attribute Nowhere"),
        ("WorkflowId", "WorkflowId attribute can't be set in SearchAttributes"),
    ],
)
def test_an_unknown_name_and_the_servers_own_are_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        admit(fields(**{name: '"a"'}), NAMESPACE)

    assert refusal.value.message == text


def test_there_is_a_limit_to_one_value() -> None:
    longest = '"' + "x" * (search_attributes.VALUE_BYTES_MAX - 2) + '"'
    admit(fields(Keyword=longest), NAMESPACE)

    with pytest.raises(InvalidArgument, match="search attribute Keyword value size 2049 exceeds size limit 2048"):
        admit(fields(Keyword=longest[:-1] + 'x"'), NAMESPACE)


def test_there_is_a_limit_to_all_values_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_attributes, "TOTAL_BYTES_MAX", 10)
    admit(fields(Keyword='"a"'), NAMESPACE)

    with pytest.raises(InvalidArgument, match="total size of search attributes 11 exceeds size limit 10"):
        admit(fields(Keyword='"ab"'), NAMESPACE)


def test_there_is_a_limit_to_the_number_of_values() -> None:
    many = SearchAttributes(indexed_fields={f"K{number}": payload('"a"') for number in range(101)})

    with pytest.raises(InvalidArgument, match="number of search attributes 101 exceeds limit 100"):
        admit(many, NAMESPACE)


# What a workflow says about itself


def test_an_upsert_merges_and_is_visible_and_wakes_nobody() -> None:
    given = given_started(search_attributes=fields(Keyword='"a"', Int="1"))

    given = do(given, ask.upsert(Int="2", Bool="true"))

    assert news(given) == ["WORKFLOW_TASK_COMPLETED", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"]
    assert given.last.visible
    assert [stored(given, key).data for key in ("Keyword", "Int", "Bool")] == [b'"a"', b"2", b"true"]
    assert stored(given, "Int").metadata["type"] == b"Int"
    written = attributes(given, "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES").search_attributes.indexed_fields
    assert written["Int"].metadata["type"] == b"Int"


@pytest.mark.parametrize("nothing", ["null", "[]", ""])
def test_a_value_set_to_nothing_is_dropped(nothing: str) -> None:
    given = given_started(search_attributes=fields(Keyword='"a"', Int="1"), memo=Memo(fields={"k": payload("1"), "l": payload("2")}))

    given = do(given, ask.upsert(Keyword=nothing), ask.memo(k=nothing))

    assert "Keyword" not in given.execution.search_attributes
    assert "Int" in given.execution.search_attributes
    assert list(given.execution.memo) == ["l"]


def test_what_is_dropped_is_dropped_from_the_store() -> None:
    given = do(given_started(memo=Memo(fields={"k": payload("1")})), ask.memo(k="null"))

    assert given.last.changes[("m", "k")] is None


def test_what_comes_and_goes_in_one_task_is_not_stored() -> None:
    given = do(given_started(), ask.memo(k="1"), ask.memo(k="null"))

    assert ("m", "k") not in given.last.changes


def test_a_memo_is_merged_and_its_event_keeps_what_was_said() -> None:
    given = do(given_started(memo=Memo(fields={"k": payload("1")})), ask.memo(k="null", other="2"))

    assert list(given.execution.memo) == ["other"]
    assert attributes(given, "WORKFLOW_PROPERTIES_MODIFIED").upserted_memo.fields["k"].data == b"null"
    assert given.last.visible


def without_fields() -> Command:
    attributes = UpsertWorkflowSearchAttributesCommandAttributes(search_attributes=SearchAttributes())
    kind = CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    return Command(command_type=kind, upsert_workflow_search_attributes_command_attributes=attributes)


@pytest.mark.parametrize(
    "command, cause, text",
    [
        (ask.upsert(Nowhere="1"), "BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes: Namespace default has no mapping"),
        (without_fields(), "BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes: IndexedFields is not set on"),
        (
            ask.memo(),
            "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
            "BadModifyWorkflowPropertiesAttributes: UpsertedMemo.Fields is not set on",
        ),
        (ask.continued_as_new(search_attributes=fields(Int='"x"')), "BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes: invalid value"),
        (ask.child(search_attributes=fields(Int='"x"')), "BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes: invalid value"),
    ],
)
def test_bad_values_fail_the_task(command: Command, cause: str, text: str) -> None:
    given = do(given_started(), command)

    failed = attributes(given, "WORKFLOW_TASK_FAILED")
    assert failed.cause == Cause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{cause}")
    assert failed.failure.message.startswith(text)


def test_a_memo_that_is_too_large_terminates_the_run() -> None:
    given = do(given_started(), ask.memo(k="x" * limits.MEMO_BYTES_MAX))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]


def test_a_bad_value_undoes_the_good_ones_of_the_same_task() -> None:
    given = do(signal(given_started()), ask.upsert(Int="1"), ask.upsert(Int='"x"'))

    assert "Int" not in given.execution.search_attributes


@pytest.mark.parametrize("name, data", [("Int", "1" + "0" * 400), ("Keyword", "[" * 1900), ("Int", "9223372036854775808")])
def test_a_monstrous_value_is_refused(name: str, data: str) -> None:
    with pytest.raises(InvalidArgument):
        admit(fields(**{name: data}), NAMESPACE)


def test_a_search_attribute_that_is_too_large_terminates_the_run() -> None:
    given = do(given_started(), ask.upsert(Keyword='"' + "x" * 3000 + '"'))

    assert news(given) == ["WORKFLOW_TASK_FAILED", "WORKFLOW_EXECUTION_TERMINATED"]
