"""Terms: what memory is worth, and which keep_alive follows from it."""

from __future__ import annotations

from lifecycle_widgets.terms.term import OURS, Term

ADVICE = (
    Term(
        "price",
        "What one GB in memory for one minute is worth to you, in seconds of waiting. Nobody can "
        "know it but you.",
        ("price_s_per_gb_min",),
        "seconds of waiting per GB-minute",
        "you say it",
    ),
    Term(
        "T*",
        "The break-even gap: a pause of this length costs the same with the model held as with a "
        "reload. A shorter pause is cheaper with the model held.",
        ("break-even", "break-even gap", "t_star_s"),
        "seconds",
        "computed: L / (GB x price)",
    ),
    Term(
        "policy",
        "A rule that chooses the next keep_alive from the pauses so far.",
        ("policies",),
    ),
    Term(
        "clairvoyant",
        "Who knows each pause before it begins. Nobody does; it is the least that any policy can "
        "cost.",
        ("over_clairvoyant", "the least"),
        "times the least cost",
        "computed",
    ),
    Term(
        "hindsight",
        "What would have been best, seen from the end.",
        (),
    ),
    Term(
        "replay",
        "To compute what another keep_alive or policy would have cost with the same requests.",
        ("as replayed",),
        "",
        OURS,
    ),
    Term(
        "cost",
        "Memory held and reloads in one number: the time held idle, divided by T*, plus one for "
        "each reload.",
        ("cost_s", "memory_s"),
        "reloads; cost_s, memory_s: seconds",
        "computed",
    ),
    Term(
        "is_best",
        "Cheapest at your price, or not distinguishable from it.",
        (),
        "",
        "computed",
    ),
    Term(
        "saves",
        "How much less the advice costs than today's value, in the worth of reloads a day, with "
        "an interval.",
        (),
        "reloads a day",
        "computed",
    ),
    Term(
        "guarantee",
        "What the advice promises whatever comes: never much more than twice the least cost.",
        (),
        "",
        "proved",
    ),
    Term(
        "evidence",
        "What an advice rests on: how many gaps, over how many days.",
        (),
        "gaps",
        OURS,
    ),
    Term(
        "stream",
        "The requests of one model or one user in a recorded file.",
        ("streams",),
    ),
    Term(
        "ski-rental problem",
        "A known puzzle: rent skis each day, or buy them, when you do not know how often you will "
        "go? Keep or unload is the same question.",
        ("ski rental",),
    ),
    Term(
        "LRU",
        "Least recently used: the one goes that was not used for the longest time. Ollama does "
        "not do that.",
        ("least recently used",),
    ),
)
