"""A table of two columns for a notebook, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable


def table_html(rows: Iterable[tuple[str, str]]) -> str:
    """What has a text, by its name."""
    body = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(text)}</td></tr>'
        for name, text in rows
        if text
    )
    return f"<table><tbody>{body}</tbody></table>"
