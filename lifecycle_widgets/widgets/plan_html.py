"""What an experiment is going to do, as HTML."""

from __future__ import annotations

from lifecycle_widgets.experiments import Plan
from lifecycle_widgets.experiments.face.plan import about_text
from lifecycle_widgets.widgets.formats import escaped


def plan_html(plan: Plan) -> str:
    """What will be run, about how long, how much memory, and the notes; all of it escaped.

    Examples
    --------
    >>> plan_html(Plan(what="Ask it twice.", rows=2, seconds=95, memory_bytes=300_000_000))[:49]
    '<div class="lw-plan"><p>Ask it twice.</p><p class'
    """
    facts = [f"{plan.rows} measurements", f"about {about_text(plan.seconds)}"]
    if plan.memory_text:
        facts.append(plan.memory_text)
    if plan.models:
        facts.append(f"loads and unloads {', '.join(plan.models)}")
    notes = "".join(f"<li>{escaped(note)}</li>" for note in plan.notes)
    return (
        f'<div class="lw-plan"><p>{escaped(plan.what)}</p>'
        f'<p class="lw-muted">{escaped(" · ".join(facts))}</p>'
        + (f'<ul class="lw-muted">{notes}</ul>' if notes else "")
        + "</div>"
    )
