"""Terms: a model's life in memory: who loads it, how long it stays, why it leaves."""

from __future__ import annotations

from lifecycle_widgets.terms.term import FIELD, OLLAMA, OURS, Term

_PS = "Ollama: /api/ps"

LIFECYCLE = (
    Term(
        "keep_alive",
        "How long a model stays in memory after its last request has ended: 0, a duration such "
        "as 5m, or -1 (forever). A bare number is seconds.",
        ("keep_alive_s", "ttl_s", "TTL"),
        "seconds",
        "Ollama: keep_alive",
    ),
    Term(
        "preload",
        "A request without a prompt: it asks nothing, and loads the model or sets its keep_alive.",
        (),
        "",
        OLLAMA,
    ),
    Term(
        "server default",
        "keep_alive is not sent. A model that is loaded then gets the server's value: 5 minutes, "
        "unless OLLAMA_KEEP_ALIVE says otherwise. A model in memory keeps its value.",
        ("OLLAMA_KEEP_ALIVE", "default_s", "not sent"),
        "seconds",
        OLLAMA,
    ),
    Term(
        "forever",
        "keep_alive -1: no clock runs. The model can still be evicted.",
        ("is_forever",),
        "",
        "Ollama: keep_alive -1",
    ),
    Term(
        "runner",
        "The process that Ollama starts for a model, and that holds it in memory.",
        ("runners",),
        "",
        OLLAMA,
    ),
    Term(
        "resident",
        "In memory now, ready to answer.",
        ("residents", "resident model", "in memory"),
        "",
        _PS,
    ),
    Term(
        "was_resident",
        "Whether the model was in memory when the request, or the run, began.",
        ("was resident",),
        "",
        _PS,
    ),
    Term(
        "residency",
        "One stay of a model in memory: from when to when, and why it left.",
        ("residencies", "in_memory_s", "since", "until"),
        "seconds",
        OURS,
    ),
    Term(
        "warm",
        "The model is in memory when the request comes: no load.",
    ),
    Term(
        "cold (page cache)",
        "The model has to be loaded, and its file is in the page cache: the short kind of load.",
        ("cold",),
    ),
    Term(
        "cold (from disk)",
        "The model has to be loaded, and its file has to be read from the disk: the long kind.",
    ),
    Term(
        "reload",
        "A load of a model that had been in memory before.",
        ("reloads", "loaded anew"),
        "how many",
        OURS,
    ),
    Term(
        "reload_s",
        "L: how much longer a cold request waits than a warm one with the same history. It is "
        "the load, and the prompt that has to be read again.",
        ("L",),
        "seconds",
        OURS,
    ),
    Term(
        "expired",
        "The time of its keep_alive has run out, so the model left.",
        ("expire", "expires", "expiry", "expires_at", "expires_in_s"),
        "seconds; a time",
        "Ollama: expires_at",
    ),
    Term(
        "eviction",
        "Ollama takes a model out of memory because another one needs the place.",
        ("evicted", "evictions", "left"),
        "",
        OURS,
    ),
    Term(
        "requested elsewhere",
        "Another client has unloaded the model, with keep_alive 0 or ollama stop.",
        (),
        "",
        OURS,
    ),
    Term("why", "Why the model left memory: expired, requested, evicted, and so on.", (), "", OURS),
    Term("why_resident", "Why the model is still in memory.", (), "", OURS),
    Term("is_loading", "The model is being loaded now.", (), "", OURS),
    Term(
        "overdue_s",
        "How long ago the model should have left. It is stuck when it cannot leave.",
        ("is_stuck",),
        "seconds",
        OURS,
    ),
    Term(
        "idle",
        "In memory, and nobody asks.",
    ),
    Term(
        "idle_s",
        "How long nobody has asked: since the end of this model's last call.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "idle gap",
        "The pause between the end of one request of a model and the start of its next one.",
        ("idle gaps", "gap", "gaps", "gap_s", "gaps_s", "pause", "pauses"),
        "seconds",
        OURS,
    ),
    Term(
        "held",
        "Kept in memory. held_s: how long, while nobody asked. Held between requests: see hold.",
        ("held_s",),
        "seconds",
        OURS,
    ),
    Term(
        "hold",
        "To keep an agent's models in memory between the requests of one run, and to let them go "
        "at its end.",
        (),
        "",
        OURS,
    ),
    Term(
        "lease",
        "A short keep_alive (20 s) that is renewed while the run goes on. If the run dies, the "
        "model leaves by itself.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "sandbox",
        "A private Ollama with small models. It listens on this machine only and ends with the "
        "notebook that started it.",
        ("private Ollama", "private sandbox"),
        "",
        OURS,
    ),
    Term(
        "scripted",
        "A model of the sandbox that says what a script has, word for word. Loads, memory and "
        "keep_alive are real.",
        ("scripted model", "scripted ones"),
        "",
        OURS,
    ),
    Term(
        "others",
        "Somebody else has used or unloaded the model meanwhile. Such rows are marked, left out "
        "of the result, and counted.",
        (),
        "how many",
        OURS,
    ),
    Term(
        "request",
        "One question to the server and its answer. An agent makes several in one run.",
        ("requests",),
        "how many",
        FIELD,
    ),
    Term(
        "run",
        "One question to an agent, with all its requests. Of a task: from its start to its end.",
        ("runs",),
        "how many",
        OURS,
    ),
    Term(
        "call",
        "One request of an experiment. Of a tool: that the model asks for it.",
        ("calls",),
        "how many",
        OURS,
    ),
    Term(
        "structure",
        "griptape's word for an agent, a pipeline or a workflow.",
        (),
        "",
        "griptape",
    ),
    Term(
        "extra_params",
        "Where griptape's driver takes what goes into each request as it is, such as keep_alive.",
        (),
        "",
        "griptape",
    ),
    Term(
        "downstream task",
        "What your program does after the model has answered.",
        ("next task", "downstream"),
    ),
)
