"""Parts against a plain dictionary: the same entries, the same soonest moment, and nothing ever changed in place."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast.engine.parts import Parts


class Part(msgspec.Struct, frozen=True):
    """Something that comes due, or waits, or neither."""

    due: int = 0
    waits: bool = False


CHANGES = st.dictionaries(st.integers(0, 60), st.none() | st.builds(Part, st.integers(0, 50), st.booleans()), max_size=40)


@settings(deadline=None, max_examples=200)
@given(st.lists(CHANGES, max_size=30), st.integers(0, 60))
def test_parts_are_like_a_dictionary_that_is_copied(rounds: list[dict[int, Part | None]], now: int) -> None:
    model: dict[int, Part] = {}
    parts: Parts[int, Part] = Parts(timed=True)
    versions: list[tuple[Parts[int, Part], dict[int, Part]]] = []
    for changes in rounds:
        model = {key: part for key, part in {**model, **changes}.items() if part is not None}
        parts = parts.changed(changes)
        versions.append((parts, model))

        assert parts.soonest == min((part.due for part in model.values() if part.due), default=None)
        assert parts.waiting == sum(part.waits for part in model.values())
        assert dict(parts.due(now)) == {key: part for key, part in model.items() if 0 < part.due <= now}

    for version, expected in versions:
        assert len(version) == len(expected)
        assert all((key in version, version.get(key)) == (key in expected, expected.get(key)) for key in range(61))
        assert version == expected
        assert {key: version[key] for key in version} == expected


def test_parts_made_of_entries_know_what_comes_first() -> None:
    parts = Parts({1: Part(30), 2: Part(10, waits=True), 3: Part()}, timed=True)

    assert (parts.soonest, parts.waiting, len(parts)) == (10, 1, 3)


def test_a_part_that_is_put_off_again_and_again_takes_no_more_room() -> None:
    parts: Parts[int, Part] = Parts({1: Part(5), 2: Part(6)}, timed=True)
    for moment in range(10, 2000):
        parts = parts.changed({2: Part(moment)})

    assert parts.soonest == 5
    assert parts.changed({1: None}).soonest == 1999
    assert str(parts._heap).count("None") <= 6


def test_many_single_changes_keep_few_layers() -> None:
    parts: Parts[int, int] = Parts()
    for number in range(1, 5000):
        parts = parts.changed({number: number})

    assert len(parts) == 4999
    assert len(parts._layers) < 12


def test_what_is_taken_away_leaves_nothing_behind() -> None:
    parts: Parts[int, int] = Parts({number: number for number in range(1, 1000)})
    for number in range(1, 1000):
        parts = parts.changed({number: None})

    assert (len(parts), list(parts)) == (0, [])
    assert sum(map(len, parts._layers)) < 1000
