"""What a list asks of a store: conditions on the attributes of runs, how to order them, and what each condition means.

A store gets these values and no text of the client's language. Attributes go by their names on the wire (`WorkflowId`),
a namespace's own by the names of their columns (`Keyword01`). The caller sees to it that values fit the attribute's type.

A condition is true, false or unknown. On a run without the attribute it is unknown, so that neither it nor its opposite
selects the run; with a text or a list of keywords it is false: a list that is not there has no such word.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from temporalio.api.enums.v1 import IndexedValueType as Kind

from outlast.engine.search_attributes import COLUMNS, PREDEFINED, SYSTEM

KINDS: Mapping[str, int] = {**SYSTEM, **PREDEFINED, **COLUMNS}
"""Every attribute that a condition may name, and its `IndexedValueType`. ExecutionStatus is kept as the enum's number."""
OPEN_CLOSE_TIME = (1 << 63) - 1
"""The close time of an open run in the order of lists: after every other."""
ONLY_WHEN_CLOSED = frozenset({"CloseTime", "HistoryLength", "HistorySizeBytes", "StateTransitionCount", "ExecutionDuration"})
"""What an open run does not have yet, as far as lists go."""

DEPTH_MAX = 40
"""How deep conditions may be nested in conditions, `Not` aside."""
VALUES_MAX = 10_000
"""How many values a query may have in all."""
Literal_ = str | int | float | bool
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]


class Compare(msgspec.Struct, frozen=True):
    """Compare by value, texts by code points. Of a list of keywords: whether one of them equals; of a text: whether it has the word."""

    attribute: str
    operator: Comparison
    value: Literal_


class OneOf(msgspec.Struct, frozen=True):
    """Whether the value, or one of the list's keywords, or one of the text's words, is among these."""

    attribute: str
    values: Sequence[Literal_]


class Between(msgspec.Struct, frozen=True):
    """Both ends belong to it."""

    attribute: str
    low: Literal_
    high: Literal_


class StartsWith(msgspec.Struct, frozen=True):
    attribute: str
    prefix: str


class IsNull(msgspec.Struct, frozen=True):
    attribute: str


class Not(msgspec.Struct, frozen=True):
    condition: "Filter"


class And(msgspec.Struct, frozen=True):
    conditions: Sequence["Filter"]


class Or(msgspec.Struct, frozen=True):
    conditions: Sequence["Filter"]


Filter = Compare | OneOf | Between | StartsWith | IsNull | Not | And | Or


class Order(msgspec.Struct, frozen=True):
    """Runs without the attribute come last, either way."""

    attribute: str
    descending: bool = False


class VisibilityQuery(msgspec.Struct, frozen=True):
    """Which runs of a namespace, and in which order.

    After `order`, and where it says nothing: open runs first, then by close time descending; within that by start time
    descending, then by run id descending.
    """

    namespace_id: str
    where: Filter | None = None
    order: Sequence[Order] = ()


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: runs of letters and digits, without case and accents."""
    plain = "".join(character for character in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(character))
    return "".join(character if character.isalnum() else " " for character in plain).split()


def has_words(attribute: str) -> bool:
    """Whether the attribute is a text or a list: conditions look for one of its words."""
    return KINDS[attribute] in (Kind.INDEXED_VALUE_TYPE_TEXT, Kind.INDEXED_VALUE_TYPE_KEYWORD_LIST)


def after_prefix(prefix: str) -> str | None:
    """The least text after all that start with `prefix`; None when there is none."""
    for end in range(len(prefix), 0, -1):
        last = ord(prefix[end - 1])
        if last < 0x10FFFF:
            following = 0xE000 if last == 0xD7FF else last + 1
            return prefix[: end - 1] + chr(following)
    return None
