"""The doctor's findings as HTML; all of it escaped. A part of DoctorPanel."""

from __future__ import annotations

from collections.abc import Sequence

from lifecycle_widgets.doctor import SEVERITIES, Diagnosis
from lifecycle_widgets.doctor.telling import because
from lifecycle_widgets.runs import counted
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

_ICONS = {"fault": "✖", "warning": "▲", "note": "●", "good": "✔"}


def finding_html(one: Diagnosis) -> str:
    """One finding: how grave in a sign and a word, what, what to do; the evidence folded away.

    Examples
    --------
    >>> finding_html(Diagnosis("a name", "1 < 2", severity="note"))[-33:]
    '<span>1 &lt; 2</span></div></div>'
    """
    return (
        f'<div class="lw-finding lw-{one.severity}"><div class="lw-finding-what">'
        f"{_sign(one.severity)}<span>{escaped(one.sentence)}</span></div>"
        + (f'<div class="lw-finding-do">{escaped(one.advice)}</div>' if one.advice else "")
        + _folded(one)
        + "</div>"
    )


def nothing_found_html(good: Sequence[Diagnosis]) -> str:
    """What was looked at, and nothing found: folded away in a line."""
    lines = "".join(f"<li>{escaped(one.sentence)}</li>" for one in good)
    return (
        f'<details class="lw-finding lw-good"><summary>{_sign("good")}<span>Nothing found by '
        f"{counted(len(good), 'other check')}</span></summary><ul>{lines}</ul></details>"
    )


def diagnoses_on(sheet: Sheet, diagnoses: Sequence[Diagnosis]) -> None:
    """The same on paper: each with what to do and its evidence; those without fault in a list."""
    for one in diagnoses:
        if one.severity != "good":
            sheet.head(f"{_ICONS[one.severity]} {one.severity}: {one.sentence}")
            sheet.say(one.advice)
            sheet.items([*one.evidence, *(f"Because: {said}" for said in because(one))])
    good = [one.sentence for one in diagnoses if one.severity == "good"]
    if good:
        sheet.head(f"Nothing found by {counted(len(good), 'other check')}")
        sheet.items(good)


def _sign(severity: str) -> str:
    return (
        f'<span class="lw-severity" title="{escaped(SEVERITIES[severity])}">'
        f'<span aria-hidden="true">{_ICONS[severity]}</span> {severity}</span>'
    )


def _folded(one: Diagnosis) -> str:
    lines = "".join(f"<li>{escaped(line)}</li>" for line in one.evidence)
    lines += "".join(f'<li class="lw-muted">Because: {escaped(said)}</li>' for said in because(one))
    if not lines:
        return ""
    count = counted(len(one.evidence), "piece") + " of evidence" if one.evidence else "why"
    return f"<details><summary>{count}</summary><ul>{lines}</ul></details>"
