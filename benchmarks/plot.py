"""A bar chart of ratios as plain SVG, readable on light and dark pages."""

from __future__ import annotations

from typing import Any

_COLOURS = {"en": "#3b82f6", "zh": "#ef4444", "code": "#10b981", "mixed": "#f59e0b"}
_BAR, _GAP, _LEFT, _WIDTH = 11, 14, 150, 760


def svg(rows: list[dict[str, Any]], what: str, title: str) -> str:
    """Return a chart of the ratios of one measurement: a group of bars for each model, one for each corpus.

    Args:
        rows: rows of `benchmarks.bulk`.
        what: which of them are drawn.
        title: what the chart says about itself.
    """
    shown = [row for row in rows if row["what"] == what and "ratio" in row]
    models = list(dict.fromkeys(row["model"] for row in shown))
    corpora = [name for name in _COLOURS if any(row["corpus"] == name for row in shown)]
    most = max((row["ratio"] for row in shown), default=1.0)
    scale = (_WIDTH - _LEFT - 60) / max(most, 1.0)
    height = 60 + len(models) * (_BAR * len(corpora) + _GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11" role="img"><title>{title}</title><rect width="100%" height="100%" fill="#fff"/>'
    )
    parts = [head, f'<text x="10" y="20" font-size="14" font-weight="bold">{title}</text>']
    parts += [
        f'<rect x="{_LEFT + 90 * at}" y="30" width="10" height="10" fill="{_COLOURS[name]}"/>'
        f'<text x="{_LEFT + 90 * at + 14}" y="39">{name}</text>'
        for at, name in enumerate(corpora)
    ]
    ratios = {(row["model"], row["corpus"]): row["ratio"] for row in shown}
    top = 52
    for model in models:
        middle = top + _BAR * len(corpora) / 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{model}</text>')
        for name in corpora:
            ratio = ratios.get((model, name), 0.0)
            length = ratio * scale
            parts.append(
                f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR - 1}" fill="{_COLOURS[name]}"/>'
                f'<text x="{_LEFT + length + 4:.1f}" y="{top + 9}" font-size="10">{ratio:.1f}×</text>'
            )
            top += _BAR
        top += _GAP
    one = _LEFT + scale
    parts.append(f'<path d="M{one:.1f} 46V{height - 8}" stroke="#555" stroke-dasharray="3 3"/></svg>')
    return "\n".join(parts) + "\n"
