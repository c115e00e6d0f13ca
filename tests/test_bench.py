"""What the benchmarks write: parts that leave one another alone, plots that do not change with the weather."""

from pathlib import Path

from bench.backlog import Done, _overtakings
from bench.peers import LINE
from bench.plot import Curve, draw
from bench.sections import put


def test_a_part_of_the_document_replaces_what_it_wrote_before_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "benchmarks.md"

    put(document, "scale", "## Scale\n\nflat")
    put(document, "reference", "## Beside\n\nfaster")
    before = document.read_text()
    put(document, "scale", "## Scale\n\nsteep")

    assert document.read_text() == before.replace("flat", "steep")
    assert document.read_text().index("steep") < document.read_text().index("faster")


def test_the_same_figures_make_the_same_plot(tmp_path: Path) -> None:
    for name in ("first.svg", "second.svg"):
        draw(tmp_path / name, "title", "x", "y", [Curve("a", [(0, 1), (10, 2)]), Curve("b", [(0, 3), (10, 3)])])

    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


def test_a_workflow_counts_as_overtaken_when_a_later_one_was_done_before_it() -> None:
    assert _overtakings([Done(1, 0.0), Done(2, 0.0), Done(2, 0.0), Done(3, 0.0)]) == 0
    assert _overtakings([Done(1, 0.0), Done(4, 0.0), Done(2, 0.0), Done(3, 0.0), Done(5, 0.0)]) == 2


def test_the_lines_of_the_peers_drivers_are_read() -> None:
    match = LINE.search("dbos sqlite seq conc=20: 22 wf/s p50=800.0ms")

    assert match is not None
    assert match.groupdict() == {"workload": "seq", "per_second": "22"}
