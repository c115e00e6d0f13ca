"""Curves as SVG files. The same figures give the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import msgspec
from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "outlast",  # ids in the file are random otherwise
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
}
SIZE_INCHES = (6.4, 3.0)
COLOURS = "#1f5fa8", "#c8571b", "#3b8a4b"
WITH_MARKERS_MAX = 30
"""Points of a curve that are shown one by one."""


class Curve(msgspec.Struct, frozen=True):
    label: str
    points: Sequence[tuple[float, float]]


def draw(path: Path, title: str, x_label: str, y_label: str, curves: Sequence[Curve]) -> None:
    """Write the file; both axes begin at zero, so that flat looks flat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        axes = figure.subplots()
        for curve, colour in zip(curves, COLOURS, strict=False):
            x, y = zip(*curve.points, strict=True)
            axes.plot(x, y, label=curve.label, color=colour, marker="o" if len(x) <= WITH_MARKERS_MAX else "", markersize=3.5)
        axes.set(title=title, xlabel=x_label, ylabel=y_label)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        if len(curves) > 1:
            axes.legend(frameon=False)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
