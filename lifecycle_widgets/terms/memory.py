"""Terms: memory, and what takes it."""

from __future__ import annotations

from lifecycle_widgets.terms.term import FIELD, OLLAMA, OURS, Term

MEMORY = (
    Term(
        "GB",
        "Gigabyte: 1,000,000,000 bytes. A megabyte (MB) is a thousandth of it.",
        ("gigabyte", "MB"),
        "1e9 bytes",
    ),
    Term(
        "GB-seconds",
        "Memory that was held, times how long. 2 GB for 30 seconds are 60 GB-seconds.",
        ("gb_s", "memory x time"),
        "GB x seconds",
        OURS,
    ),
    Term(
        "GB-minute",
        "One GB held for one minute: 60 GB-seconds. A price says how many seconds of waiting "
        "that is worth to you.",
        ("s_per_gb_min",),
        "GB x minutes",
        OURS,
    ),
    Term("held_bytes", "Memory that the models hold at this moment.", (), "bytes", OURS),
    Term("peak_gb", "The most memory that the models held at one time.", (), "GB", OURS),
    Term(
        "left_gb",
        "Memory that is still held when the run is over, until its keep_alive has run out.",
        (),
        "GB",
        OURS,
    ),
    Term(
        "RSS",
        "Resident set size: the memory that a process really has at this moment.",
        ("rss_bytes", "runner_gb", "runner_bytes"),
        "bytes",
        "the operating system",
    ),
    Term(
        "VRAM",
        "The memory of a graphics card (GPU).",
        ("vram_bytes", "size_vram"),
        "bytes",
        "Ollama: size_vram",
    ),
    Term("GPU", "A graphics card: models answer much faster on one, if its memory is enough."),
    Term(
        "size",
        "How much memory the model needs: its weights, its context, and room to compute.",
        ("size_bytes",),
        "bytes",
        "Ollama: size, in /api/ps",
    ),
    Term(
        "page cache",
        "Files that the system keeps in memory that nobody else needs. What is in it need not be "
        "read from the disk again.",
        ("page_cache_gb", "page_cache_bytes"),
        "bytes",
        "the operating system",
    ),
    Term(
        "disk reads",
        "How much was read from the disk while the task ran: what was not in the page cache.",
        ("disk_gb", "first_disk_bytes", "steady_disk_bytes", "read from the disk"),
        "GB",
        "the operating system",
    ),
    Term(
        "used",
        "Memory in use when the task had ended; with a shortage: of its budget.",
        ("used_gb", "used_bytes"),
        "GB",
        "the operating system",
    ),
    Term(
        "shortage",
        "Not enough memory for the model and the next task together. Lesson 1 makes one on "
        "purpose, for processes of its own only.",
        ("budget",),
        "",
        OURS,
    ),
    Term(
        "control groups",
        "A part of Linux that gives some processes a limit of memory, and of disk speed.",
        ("control group",),
    ),
    Term("weights", "The numbers that a model is made of; they fill most of its file."),
    Term(
        "dropped",
        "Whether the model's file was really out of the page cache before, so that it came from "
        "the disk.",
        (),
        "",
        OURS,
    ),
    Term(
        "context",
        "How many tokens a model can see at once, prompt and answer together. Another context "
        "needs a reload.",
        ("context_length", "num_ctx"),
        "tokens",
        "Ollama: num_ctx, context_length",
    ),
    Term(
        "history",
        "The earlier turns of a conversation, which are sent again with each request. In this "
        "package also the file in which sizes and times of requests are kept.",
        ("history_tokens", "history_turns"),
        "tokens; turns",
        FIELD,
    ),
    Term(
        "prompt cache",
        "What a runner has read already. As long as the model stays, only what is new is read; "
        "unloading throws it away.",
        (),
        "",
        OLLAMA,
    ),
)
