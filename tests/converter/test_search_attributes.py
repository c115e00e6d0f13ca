"""Search attributes: the same messages as the official functions write, and the same values that they read."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
import temporalio.common as official_common
import temporalio.converter as official
from temporalio.api.common.v1 import Payload, SearchAttributes

from outlast import common, converter

MOMENT = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
TYPED: list[tuple[str, Any]] = [
    ("for_text", "some words"),
    ("for_keyword", "word"),
    ("for_int", 5),
    ("for_int", True),
    ("for_float", 1.5),
    ("for_bool", False),
    ("for_datetime", MOMENT),
    ("for_keyword_list", ["a", "b"]),
    ("for_keyword_list", []),
    ("for_int", "no number"),
    ("for_float", 1),
    ("for_keyword", None),
    ("for_keyword_list", ["a", 1]),
    ("for_keyword_list", "text"),
    ("for_datetime", datetime(2024, 1, 1)),
    ("for_datetime", "2024-02-29"),
]
UNTYPED: list[Any] = [["a"], ["a", "b"], [1], [1.5], [True], [MOMENT], [], [1, "a"], [1, True], "text", [None], [datetime(2024, 1, 1)]]


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error).replace("outlast", "temporalio")


@pytest.mark.parametrize(("kind", "value"), TYPED)
def test_typed_values_are_written_and_read_as_by_the_official_functions(kind: str, value: Any) -> None:
    def write(module: ModuleType, commons: ModuleType) -> Any:
        key = getattr(commons.SearchAttributeKey, kind)("name")
        return module.encode_typed_search_attribute_value(key, value)

    ours = _outcome(lambda: write(converter, common))
    theirs = _outcome(lambda: write(official, official_common))

    assert ours == theirs
    if isinstance(ours, Payload):
        _assert_read_alike(ours)


@pytest.mark.parametrize("values", UNTYPED, ids=repr)
def test_untyped_values_are_written_and_read_as_by_the_official_functions(values: Any) -> None:
    ours = _outcome(lambda: converter.encode_search_attribute_values(values))

    assert ours == _outcome(lambda: official.encode_search_attribute_values(values))
    if isinstance(ours, Payload):
        _assert_read_alike(ours)


TYPES = ["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList", "INDEXED_VALUE_TYPE_KEYWORD_LIST", "Strange"]


@pytest.mark.parametrize("data", [b'"a"', b'["a"]', b'["a","b"]', b"1", b"[1]", b"1.5", b"true", b'"2024-02-29T12:30:00Z"', b"[]", b"null"])
@pytest.mark.parametrize("metadata_type", TYPES)
def test_values_of_every_type_are_read_as_by_the_official_functions(metadata_type: str, data: bytes) -> None:
    _assert_read_alike(Payload(metadata={"encoding": b"json/plain", "type": metadata_type.encode()}, data=data))


def _assert_read_alike(payload: Payload) -> None:
    message = SearchAttributes(indexed_fields={"name": payload})

    def plain(attributes: Any) -> Any:
        return [(pair.key.name, int(pair.key.indexed_value_type), pair.value) for pair in attributes]

    for ours, theirs in (
        (lambda: converter.decode_search_attributes(message), lambda: official.decode_search_attributes(message)),
        (
            lambda: plain(converter.decode_typed_search_attributes(message)),
            lambda: plain(official.decode_typed_search_attributes(message)),
        ),
    ):
        assert repr(_outcome(ours)) == repr(_outcome(theirs))


def test_collections_are_written_as_a_whole() -> None:
    number, words = common.SearchAttributeKey.for_int("number"), common.SearchAttributeKey.for_keyword_list("words")
    attributes = common.TypedSearchAttributes([common.SearchAttributePair(words, ["a"]), common.SearchAttributePair(number, 1)])
    typed, untyped = SearchAttributes(), SearchAttributes()

    converter.encode_search_attributes(attributes, typed)
    converter.encode_search_attributes({"number": [1]}, untyped)

    assert converter.decode_typed_search_attributes(typed) == attributes
    assert untyped.indexed_fields["number"].data == b"[1]"


def test_typed_and_untyped_attributes_exclude_one_another() -> None:
    from outlast.converter._search_attributes import _encode_maybe_typed_search_attributes

    typed = common.TypedSearchAttributes([common.SearchAttributePair(common.SearchAttributeKey.for_int("n"), 1)])
    for untyped, given, names in (({"u": [1]}, None, {"u"}), (None, typed, {"n"}), (None, None, set()), ({"u": [1]}, typed.empty, {"u"})):
        message = SearchAttributes()
        _encode_maybe_typed_search_attributes(untyped, given, message)  # type: ignore[arg-type]
        assert set(message.indexed_fields) == names
    with pytest.raises(ValueError, match="Cannot provide both"):
        _encode_maybe_typed_search_attributes({"u": [1]}, typed, SearchAttributes())


def test_a_collection_is_found_by_name_and_type_and_is_in_the_order_of_names() -> None:
    key, other = common.SearchAttributeKey.for_int("b"), common.SearchAttributeKey.for_float("b")
    first = common.SearchAttributePair(common.SearchAttributeKey.for_keyword("a"), "x")
    attributes = common.TypedSearchAttributes([common.SearchAttributePair(key, 1), first])

    assert [pair.key.name for pair in attributes] == ["a", "b"]
    assert (len(attributes), key in attributes, other in attributes) == (2, True, False)
    assert (attributes[key], attributes.get(key), attributes.get(other), attributes.get(other, 2.0)) == (1, 1, None, 2.0)
    with pytest.raises(KeyError):
        attributes[other]
    changed = attributes.updated(common.SearchAttributePair(other, 5.0))
    assert (len(changed), changed[other], attributes.get(other)) == (2, 5.0, None)
    with pytest.raises(ValueError, match="Duplicate search attribute entries found for key b"):
        common.TypedSearchAttributes([common.SearchAttributePair(key, 1), common.SearchAttributePair(other, 1.0)])


@pytest.mark.parametrize("values", [["a"], ["a", "b"], [1], [True], [1.5], [MOMENT], [], [1, 2]], ids=repr)
def test_keys_of_untyped_values_are_guessed_as_by_the_official_sdk(values: Any) -> None:
    ours = common.SearchAttributeKey._guess_from_untyped_values("n", values)
    theirs = official_common.SearchAttributeKey._guess_from_untyped_values("n", values)

    assert (ours and int(ours.indexed_value_type)) == (theirs and int(theirs.indexed_value_type))
