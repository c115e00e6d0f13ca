"""Plain values: the same bytes as the official converter writes, and the same values, or errors, that it reads."""

import json
import pickle
import re
import warnings
from collections.abc import Callable
from typing import Annotated, Any, NewType, Union, get_origin

import pytest
import temporalio.converter as official
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from outlast import converter
from tests.converter.shapes import HINTS, JSON_VALUES, VALUES, Colour, Holder, Inner, OldModel

OURS = converter.DefaultPayloadConverter()
THEIRS = official.DefaultPayloadConverter()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the chain of errors that it raises, without the names of modules."""
    try:
        value = call()
    except Exception as error:
        chain = []
        current: BaseException | None = error
        while current is not None:
            chain.append((type(current).__name__, str(current)))
            current = current.__cause__
        return chain
    return type(value), value


def _written(make: Callable[[Any], Payload], value: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _outcome(lambda: make(value).SerializeToString(deterministic=True))


def _name(value: object) -> str:
    """The same in every process that collects the tests."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize("value", [value for value in VALUES if not hasattr(value, "send")], ids=_name)
def test_values_are_written_as_the_official_converter_writes_them(value: Any) -> None:
    assert _written(OURS.to_payload, value) == _written(THEIRS.to_payload, value)
    # Again, since the second value of a class goes straight to its converter.
    assert _written(OURS.to_payload, value) == _written(THEIRS.to_payload, value)


@given(JSON)
def test_any_json_is_written_and_read_as_by_the_official_converter(value: Any) -> None:
    written = OURS.to_payload(value)

    assert written.SerializeToString(deterministic=True) == THEIRS.to_payload(value).SerializeToString(deterministic=True)
    assert repr(OURS.from_payload(written)) == repr(THEIRS.from_payload(written))


def test_what_json_cannot_hold_raises_what_json_says() -> None:
    for value in (object(), {1, object()}, {(1, 2): 3}, 1j, type):
        assert _written(OURS.to_payload, value) == _written(THEIRS.to_payload, value)
        assert isinstance(_written(OURS.to_payload, value), list)

    circle: list[Any] = []
    circle.append(circle)
    for _ in range(2):
        with pytest.raises(ValueError, match="Circular"):
            OURS.to_payload(circle)


def test_a_generator_is_written_as_a_list() -> None:
    assert OURS.to_payload(item for item in (1, 2)).data == b"[1,2]"


@pytest.mark.parametrize("hint", HINTS, ids=repr)
def test_values_are_brought_to_hinted_types_as_by_the_official_converter(hint: Any) -> None:
    for value in JSON_VALUES:
        expected = _outcome(lambda value=value: official.value_to_type(hint, value))  # type: ignore[misc]
        for _ in range(2):
            assert _outcome(lambda value=value: converter.value_to_type(hint, value)) == expected, value  # type: ignore[misc]


@pytest.mark.parametrize("hint", [None, *HINTS], ids=repr)
def test_payloads_are_read_as_by_the_official_converter(hint: Any) -> None:
    for value in JSON_VALUES:
        payload = THEIRS.to_payload(value)
        ours = _outcome(lambda payload=payload: OURS.from_payloads([payload], [hint] if hint else None))  # type: ignore[misc]
        theirs = _outcome(lambda payload=payload: THEIRS.from_payloads([payload], [hint] if hint else None))  # type: ignore[misc]
        assert ours == theirs, value


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    two = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda item: list[item]),
        inner.map(lambda item: tuple[item, ...]),
        two.map(lambda pair: tuple[pair]),
        two.map(lambda pair: dict[pair]),
        two.map(lambda pair: Union[pair]),  # noqa: UP007
        inner.map(lambda item: Annotated[item, "note"]),
    )


_SCALARS = [hint for hint in HINTS if get_origin(hint) is None and hint is not OldModel]
_KEYS = ["a", "1", "true", "null", "good", "name", "amount", "inner", "others", "by_colour", "value", "children", "title"]
_LEAVES = st.sampled_from([value for value in JSON_VALUES if not isinstance(value, list | dict)])


@given(
    st.recursive(st.sampled_from(_SCALARS), _containers, max_leaves=5),
    st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4)),
)
def test_any_value_is_brought_to_any_type_as_by_the_official_converter(hint: Any, value: Any) -> None:
    ours = _outcome(lambda: converter.value_to_type(hint, value))

    assert repr(ours) == repr(_outcome(lambda: official.value_to_type(hint, value)))


def test_the_order_of_a_union_counts_though_unions_of_one_set_are_equal() -> None:
    first, second = list[Union[int, float]], list[Union[float, int]]  # noqa: UP007
    assert first == second

    assert repr(converter.value_to_type(first, [1.5])) == "[1]"
    assert repr(converter.value_to_type(second, [1.5])) == "[1.5]"


def test_hints_made_for_one_call_do_not_inherit_the_conversion_of_another() -> None:
    assert converter.value_to_type(NewType("Short", int), 1) == 1  # type: ignore[arg-type]
    many = [NewType("Short", str) for _ in range(1_000)]  # one of them lives where the hint before would have died

    assert [converter.value_to_type(hint, "1") for hint in many] == ["1"] * 1_000  # type: ignore[arg-type]


def test_a_model_of_pydantic_1_works_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="pydantic"):
        payload = OURS.to_payload(OldModel(3))

    assert payload.data == b'{"a":3}'
    assert OURS.from_payload(payload, OldModel) == OldModel(3)


class _Upside(converter.JSONTypeConverter):
    def to_typed_value(self, hint: type, value: Any) -> Any | converter.JSONTypeConverterUnhandled | None:
        return value[::-1] if hint is str else converter.JSONTypeConverter.Unhandled


class _OfficialUpside(official.JSONTypeConverter):
    def to_typed_value(self, hint: type, value: Any) -> Any | official.JSONTypeConverterUnhandled | None:
        return value[::-1] if hint is str else official.JSONTypeConverter.Unhandled


def test_custom_type_converters_are_asked_first_at_every_depth() -> None:
    ours = converter.JSONPlainPayloadConverter(custom_type_converters=[_Upside()])
    theirs = official.JSONPlainPayloadConverter(custom_type_converters=[_OfficialUpside()])
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'{"name":"abc","amount":2}')

    assert ours.from_payload(payload, Inner) == theirs.from_payload(payload, Inner) == Inner("cba", 2.0)
    assert converter.value_to_type(Inner, {"name": "ab"}, [_Upside()]) == Inner("ba")


class _Counting(json.JSONEncoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen = 0

    def default(self, o: Any) -> Any:
        self.seen += 1
        return self.seen


def test_an_encoder_of_the_users_own_is_made_anew_for_each_value() -> None:
    ours = converter.JSONPlainPayloadConverter(encoder=_Counting)
    theirs = official.JSONPlainPayloadConverter(encoder=_Counting)

    for _ in range(2):
        payload = ours.to_payload([object(), object()])
        assert payload is not None
        assert payload == theirs.to_payload([object(), object()])
        assert payload.data == b"[1,2]"


def test_encodings_have_the_name_that_was_given() -> None:
    payload = converter.JSONPlainPayloadConverter(encoding="json/mine").to_payload("x")

    assert payload is not None
    assert payload.metadata["encoding"] == b"json/mine"


def test_broken_json_is_an_error_that_says_where() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"{")

    with pytest.raises(RuntimeError, match=re.escape("Payload at index 0 with encoding json/plain could not be converted")):
        OURS.from_payload(payload)


@pytest.mark.parametrize(
    "data",
    [
        b" 1",
        b"1 ",
        b"[1 ,\n2]",
        b"",
        b" ",
        b"1 2",
        b"[1",
        b"nul",
        b"\xff",
        b"\xef\xbb\xbf1",
        "[1]".encode("utf-16"),
        "1".encode("utf-16-le"),
        b'"\xed\xa0\x80"',
    ],
)
def test_json_is_read_however_it_is_written(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)

    assert _outcome(lambda: OURS.from_payload(payload)) == _outcome(lambda: THEIRS.from_payload(payload))


def test_converters_can_be_pickled_after_use() -> None:
    class Local: ...

    used = converter.DefaultPayloadConverter()
    used.from_payload(used.to_payload([1]), list[int])
    with pytest.raises(TypeError):
        used.to_payload(Local())
    used.to_payload(Colour.RED)

    copy = pickle.loads(pickle.dumps(used))

    assert copy.from_payload(copy.to_payload([1]), list[int]) == [1]


def test_what_cannot_be_copied_can_be_written_all_the_same() -> None:
    class Unlike:
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("no copies")

        def dict(self) -> dict[str, int]:
            return {"b": 2}

    assert OURS.to_payload(Holder(Unlike())).data == b'{"content":{"b":2}}'
