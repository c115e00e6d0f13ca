"""Types and values that converters are tried with."""

import collections
import dataclasses
import datetime
import enum
import typing
import uuid
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from typing import Any, Literal, NewType, NotRequired, Optional, TypedDict, Union

UserId = NewType("UserId", int)
T = typing.TypeVar("T")


class Colour(enum.IntEnum):
    RED = 1
    BLUE = 2


class Mood(enum.StrEnum):
    GOOD = "good"
    BAD = "bad"


class Number(int, enum.Enum):
    ONE = 1


class Plain(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Inner:
    name: str
    amount: float = 1.0


@dataclasses.dataclass
class Outer:
    inner: Inner
    others: list[Inner] = dataclasses.field(default_factory=list)
    by_colour: dict[Colour, Optional[Inner]] = dataclasses.field(default_factory=dict)  # noqa: UP045
    made: int = dataclasses.field(init=False, default=7)


@dataclasses.dataclass(frozen=True)
class Frozen:
    at: datetime.datetime
    note: str = dataclasses.field(init=False, default="n")


@dataclasses.dataclass
class Tree:
    value: int
    children: "list[Tree]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Box(typing.Generic[T]):
    content: T


@dataclasses.dataclass
class Nothing:
    pass


@dataclasses.dataclass
class Listed(list[int]):
    """A dataclass that JSON would take for a list."""

    name: str = "listed"


@dataclasses.dataclass
class Holder:
    content: Any


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Pair(typing.NamedTuple):
    left: int
    right: str


class OldModel:
    """As a model of Pydantic 1 looks to a converter."""

    def __init__(self, a: int) -> None:
        self.a = a

    @classmethod
    def parse_obj(cls, value: dict[str, int]) -> "OldModel":
        return cls(value["a"])

    def dict(self) -> dict[str, int]:
        return {"a": self.a}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return self.a


class LoudText(str):
    __slots__ = ()


MOMENT = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)
SOME_ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

VALUES: list[Any] = [
    None,
    b"",
    b"bytes",
    bytearray(b"ab"),
    "",
    "text",
    'ä€\ud83d\ude00 \x00 " \\ / \n',
    LoudText("loud"),
    0,
    -1,
    2**80,
    True,
    False,
    1.5,
    -0.0,
    1e300,
    float("inf"),
    float("nan"),
    [],
    [1, [2, {"b": 1, "a": None}]],
    (1, 2),
    {"b": 1, "a": 2, "c": {"z": 1, "y": []}},
    {1: "a", 2: "b"},
    {True: 1},
    {None: 1},
    {Colour.RED: 1},
    {1.5: 1},
    Colour.RED,
    Mood.GOOD,
    Number.ONE,
    MOMENT,
    SOME_ID,
    {"at": MOMENT},
    frozenset([1]),
    collections.deque([1, 2]),
    collections.OrderedDict(b=1, a=2),
    Inner("x"),
    [Outer(Inner("x"), [Inner("y", 2.5)], {Colour.BLUE: None})],
    Frozen(MOMENT),
    Tree(1, [Tree(2)]),
    Box(3),
    Pair(1, "r"),
    Nothing(),
    Listed("x"),
    Holder(Nothing()),
    Holder(Listed("x")),
    Holder([Listed("x"), (Inner("y"), {"z": Inner("z"), 1: None})]),
    Holder(Pair(1, "r")),
    Holder([Pair(Inner("y"), "r")]),  # type: ignore[arg-type]
    Holder(collections.OrderedDict(b=Inner("y"), a=1)),
    Holder({Colour.RED: Inner("y")}),
    Holder({Frozen(MOMENT): 1}),
    Holder({(1, 2): 3}),
    Holder(frozenset([1])),
    Holder([MOMENT, SOME_ID, Mood.GOOD, Colour.RED, Plain.ONE]),
    Holder([MOMENT, SOME_ID, Mood.GOOD, Colour.RED, LoudText("x"), b"ab"]),
    Holder(OldModel(1)),
    Holder(Holder(object())),
    Movie(title="m"),
    (item for item in (1, 2)),
]

# Not hinted with equal types only: hints that ask for what a value is not matter as much.
HINTS: list[Any] = [
    Any,
    None.__class__,
    int,
    float,
    bool,
    str,
    bytes,
    object,
    datetime.datetime,
    uuid.UUID,
    UserId,
    Colour,
    Mood,
    Number,
    Plain,
    list,
    list[int],
    list[Any],
    list[T],  # type: ignore[valid-type]
    list[Inner],
    typing.List[str],  # noqa: UP006
    Sequence[int],
    MutableSequence[str],
    Iterable[int],
    set[int],
    frozenset[int],
    collections.deque[int],
    tuple,
    tuple[int, ...],
    tuple[int, str],
    tuple[int, list[dict[str, Any]]],
    tuple[()],
    dict,
    dict[str, int],
    dict[int, str],
    dict[float, int],
    dict[bool, int],
    dict[None, int],
    dict[Colour, int],
    dict[Mood, int],
    dict[str, Any],
    dict[Any, Inner],
    dict[uuid.UUID, int],
    dict[tuple[int, int], int],
    typing.Dict[str, list[int]],  # noqa: UP006
    Mapping[str, int],
    collections.OrderedDict[str, int],
    Optional[int],  # noqa: UP045
    Union[int, str],  # noqa: UP007
    Union[str, int],  # noqa: UP007
    int | str,
    str | int | None,
    list[int] | dict[str, int],
    Inner | Outer | None,
    Literal["text", 1],
    Literal["good"],
    Inner,
    Outer,
    list[Outer],
    Frozen,
    Tree,
    Box,
    Box[int],
    Movie,
    list[Movie],
    Pair,
    OldModel,
    typing.Callable[[], int],
    T,
]

JSON_VALUES: list[Any] = [
    None,
    0,
    1,
    1.5,
    True,
    "text",
    "1",
    "good",
    "2024-02-29T12:30:00+00:00",
    "2024-02-29T12:30:00Z",
    str(SOME_ID),
    [],
    [1],
    [1, "a"],
    ["a"],
    [[1, 2]],
    [{"name": "x"}, {"name": "y", "amount": 2}],
    {},
    {"a": 1},
    {"1": "a"},
    {"1": 1},
    {"1.5": 1},
    {"true": 1},
    {"null": 1},
    {"good": 1},
    {str(SOME_ID): 1},
    {"name": "x"},
    {"name": 1},
    {"inner": {"name": "x"}, "others": [{"name": "y"}], "by_colour": {"1": {"name": "z"}, "2": None}, "made": 9},
    {"inner": {"name": "x"}, "unknown": 1},
    {"inner": {"name": 1}},
    {"at": "2024-02-29T12:30:00Z", "note": "set"},
    {"value": 1, "children": [{"value": 2, "children": []}]},
    {"title": "m", "year": 1999},
    {"title": "m", "year": "x"},
    {"year": 1},
    {"title": "m", "extra": 1},
]
