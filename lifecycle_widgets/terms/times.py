"""Terms: how long something takes, and what is counted beside it."""

from __future__ import annotations

from lifecycle_widgets.terms.term import OURS, Term

_CLOCK = "measured here, by the client's clock"

TIMES = (
    Term(
        "TTFT",
        "Time to first token: how long you wait until the first piece of the answer comes. For a "
        "cold model it is load plus prompt eval.",
        ("time to first token", "first token", "first tokens", "ttft_s"),
        "seconds",
        _CLOCK,
    ),
    Term(
        "first text",
        "How long you wait for the first piece of the answer itself. It is later than TTFT when "
        "the model thinks or calls a tool first.",
        ("first_text_s",),
        "seconds",
        _CLOCK,
    ),
    Term(
        "TPOT",
        "Time per output token: how long each further token takes after the first one.",
        ("time per output token", "tpot_s"),
        "seconds",
        "Ollama: eval_duration / eval_count",
    ),
    Term(
        "tokens per second",
        "How fast the model writes: output tokens, divided by the time of eval.",
        ("tokens/s", "tokens_per_s"),
        "tokens per second",
        "Ollama: eval_count / eval_duration",
    ),
    Term(
        "token",
        "A piece of text, often a part of a word. Models read and write tokens: 100 of them are "
        "about 75 English words.",
        ("tokens",),
        "tokens",
    ),
    Term(
        "prompt tokens",
        "How long the prompt is, with the history. Tokens that the prompt cache knows count too.",
        ("prompt_tokens",),
        "tokens",
        "Ollama: prompt_eval_count",
    ),
    Term(
        "output tokens",
        "How long the answer is. What the model thought counts too.",
        ("output_tokens",),
        "tokens",
        "Ollama: eval_count",
    ),
    Term(
        "cached tokens",
        "The part of the prompt that was not read again: it was still in the prompt cache.",
        ("cached_tokens", "cached"),
        "tokens",
        "Ollama: prompt_eval_cached_count, since 0.34",
    ),
    Term(
        "load",
        "To bring a model into memory, or the time that it takes. Of a warm model it is a few "
        "milliseconds: the request was only handed over.",
        ("loads", "loaded", "load_s", "load_duration"),
        "seconds; loads: how many",
        "Ollama: load_duration",
    ),
    Term(
        "prompt eval",
        "The model reads the prompt. It has to be done before the first token. Elsewhere: prefill.",
        ("prompt_eval_s",),
        "seconds",
        "Ollama: prompt_eval_duration",
    ),
    Term(
        "eval",
        "The model writes the answer, token by token. Elsewhere: decode.",
        ("eval_s",),
        "seconds",
        "Ollama: eval_duration",
    ),
    Term(
        "total",
        "From sending the request, or from the start of the run, to its end.",
        ("total_s",),
        "seconds",
        _CLOCK,
    ),
    Term(
        "tools",
        "Functions that an agent's model can call. The time is how long they ran.",
        ("tool", "tools_s", "calls a tool"),
        "seconds",
        _CLOCK,
    ),
    Term(
        "embeddings",
        "Texts turned into numbers by a model, to find similar ones.",
        ("embedding", "embeddings_s"),
        "seconds",
        _CLOCK,
    ),
    Term(
        "rest",
        "What is left of the time of a run: griptape's own work, and the network.",
        ("rest_s", "griptape and network"),
        "seconds",
        OURS,
    ),
    Term(
        "not told",
        "The server or the system does not say it. It is not guessed.",
        ("not_told_s",),
        "",
        OURS,
    ),
    Term(
        "thinking",
        "Some models write down their thoughts before they answer. think switches that on or off.",
        ("think", "thinking_s"),
        "seconds",
        _CLOCK,
    ),
    Term(
        "queued",
        "How long a request waited before the server began to work on it.",
        ("queued_s",),
        "seconds",
        OURS,
    ),
    Term(
        "waiting",
        "How long you wait for first tokens, all calls together. Each call counts at the median "
        "of its kind (loaded, or not), because single loads differ by chance.",
        ("waiting_s", "extra_waiting_s"),
        "seconds",
        OURS,
    ),
    Term(
        "measured_s",
        "The waiting for first tokens, as it was in this very run.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "span_s",
        "How long an arm lasted: from the start of its first call to the end of its last one, "
        "without late_s.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "late_s",
        "How long calls of this arm had to wait for a call of another arm to end. It is counted "
        "nowhere, so all arms have the same schedule.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "start_s",
        "When it began, counted from the first call of the arm (in a file of requests: from any "
        "one time).",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "end_s",
        "When the model left, counted from the first call of the arm. Empty: it was still there.",
        (),
        "seconds",
        OURS,
    ),
    Term("service_s", "How long the request took, from its start to its end.", (), "seconds"),
    Term(
        "first_s",
        "How long the task took the first time. Its file may come from the disk.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "steady_s",
        "How long the task took the second time. Its file should be in the page cache by then.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "gone_s",
        "When the last model of the run had left, counted from the run's start.",
        (),
        "seconds",
        OURS,
    ),
    Term(
        "cold_s",
        "TTFT when the model has to be loaded (its file is in the page cache).",
        (),
        "seconds",
        OURS,
    ),
    Term("warm_s", "TTFT when the model is in memory.", (), "seconds", OURS),
    Term(
        "saved_s",
        "How many seconds less a run takes when its models are held.",
        (),
        "seconds",
        OURS,
    ),
)
