"""Terms: how it is measured, and how sure that is."""

from __future__ import annotations

from lifecycle_widgets.terms.term import OURS, Term

MEASURING = (
    Term(
        "interval",
        "2.67 (2.66 to 2.67, n=3): the median is 2.67, and the true value very likely lies "
        "between 2.66 and 2.67 (95 % bootstrap interval), from 3 measurements.",
        ("intervals", "bootstrap interval"),
        "as the value",
        OURS,
    ),
    Term(
        "low_s",
        "The lower and the upper end of the interval: the true value very likely lies between "
        "them.",
        ("high_s", "low_gb_s", "high_gb_s"),
        "as the value",
        OURS,
    ),
    Term(
        "median",
        "The middle value when all are sorted: half are smaller, half are larger.",
        ("medians",),
    ),
    Term(
        "bootstrap",
        "A way to get an interval: draw from the measurements again and again, and look how much "
        "the median moves.",
    ),
    Term("n", "How many measurements there were.", ("n=3",), "how many"),
    Term(
        "not distinguishable",
        "The intervals overlap: the difference may be chance.",
        ("not distinguishable here",),
        "",
        OURS,
    ),
    Term(
        "arm",
        "One of the things that are compared: the same calls, each arm with its own keep_alive.",
        ("arms", "way"),
        "",
    ),
    Term(
        "side by side",
        "All arms in the same time, each on a private Ollama of its own: quick, but all of their "
        "models are in memory together.",
        (),
        "",
        OURS,
    ),
    Term(
        "frugal",
        "One arm after the other, so that little memory is needed. It takes longer.",
        (),
        "",
        OURS,
    ),
    Term(
        "round",
        "All conditions once, in a random order. An experiment makes several rounds.",
        ("rounds",),
        "",
    ),
    Term(
        "condition",
        "What was so before the task ran: the model never loaded, resident, or gone.",
        ("conditions", "state"),
        "",
        OURS,
    ),
    Term(
        "slowdown",
        "How many times as long the task takes. 1 means: no slower.",
        ("times as long",),
        "times",
        OURS,
    ),
    Term(
        "scheduler",
        "The part of Ollama that decides which models are in memory.",
    ),
    Term(
        "load_began_s",
        "When the scheduler began to load the model for a request. Empty: it was there already.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "verdict",
        "What the measurements say, in a sentence or two, computed from them.",
        (),
        "",
        OURS,
    ),
    Term(
        "witnesses",
        "How a request was noticed: by its deadline, by the runner's work, by the server's log, "
        "or because it was ours.",
        (),
        "",
        OURS,
    ),
    Term(
        "watched",
        "Whether somebody looked all the time. In a gap that was not watched there may have been "
        "a request that nobody saw, so it does not count.",
        (),
        "",
        OURS,
    ),
    Term(
        "exact_s",
        "How far off the gap may be.",
        ("begin_within_s", "end_within_s"),
        "seconds",
        OURS,
    ),
    Term(
        "whose",
        "Who made the request, or loaded the model: this process, or another client.",
        ("loaded_by", "touched_by"),
        "",
        OURS,
    ),
    Term(
        "is_broken_off",
        "Whether the client went away before the answer was complete.",
        (),
        "",
        OURS,
    ),
    Term(
        "done_reason",
        "Why an answer ended: stop (the model was done) or length (it was cut off).",
        ("ended",),
        "",
        "Ollama: done_reason",
    ),
)
