"""The tables of goals of the parts that compare two figures: a row for each."""

from collections.abc import Iterable, Sequence

import msgspec
from rich.table import Table

from bench.sections import markdown_table

VERDICTS = {True: "met", False: "not met", None: ""}
STYLES = {True: "green", False: "bold red", None: ""}


class Line(msgspec.Struct, frozen=True):
    what: str
    first: str
    second: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None
    """None: there is no goal, or nothing to compare with."""

    def cells(self) -> list[str]:
        return [self.what, self.first, self.second, self.ratio, self.goal, VERDICTS[self.met]]


def shown(title: str, columns: Sequence[str], lines: Iterable[Line]) -> Table:
    """For the terminal."""
    table = Table(*columns, title=title)
    for line in lines:
        table.add_row(*(cell.replace("`", "") for cell in line.cells()), style=STYLES[line.met])
    return table


def written(columns: Sequence[str], lines: Iterable[Line]) -> str:
    """For the document."""
    return markdown_table(columns, (line.cells() for line in lines))
