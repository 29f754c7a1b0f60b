"""Numbers -> a bar chart in SVG, without any library."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH, _ROW, _LEFT, _RIGHT = 760, 22, 150, 70
_COLOURS = ("#2a6f97", "#a9d6e5", "#e09f3e")


def bars(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Draw one group of bars a row, one bar a column; rows and columns keep their order.

    >>> "<svg" in bars("tokens/s", {"ours": {"decode": 180.0}})
    True
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    most = max((value for row in rows.values() for value in row.values()), default=1.0)
    parts, y = [], 56
    for name, row in rows.items():
        parts.append(_text(_LEFT - 8, y + _ROW * len(row) / 2 + 4, name, "end"))
        for column, value in row.items():
            width = (_WIDTH - _LEFT - _RIGHT) * value / most
            colour = _COLOURS[columns.index(column) % len(_COLOURS)]
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_ROW - 4}" fill="{colour}"/>')
            parts.append(_text(_LEFT + width + 5, y + _ROW - 9, f"{value:,.0f}", "start"))
            y += _ROW
        y += 10
    legend = [_text(8, 18, title, "start", "bold")]
    x = _LEFT
    for number, column in enumerate(columns):
        legend.append(f'<rect x="{x}" y="30" width="12" height="12" fill="{_COLOURS[number % len(_COLOURS)]}"/>')
        legend.append(_text(x + 17, 40, column, "start"))
        x += 40 + 8 * len(column)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="13">'
    )
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{y}" fill="white"/>', *legend, *parts, "</svg>\n"])


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
