"""CLAIMS: what people say about keep_alive, each with the lesson's cell that measures it."""

from __future__ import annotations

from lifecycle_widgets.facts.claims.claim import TRUE, Claim
from lifecycle_widgets.facts.claims.rules import (
    by_facts,
    default_is,
    many_models,
    next_task,
    one_model,
    only_the_load,
)

_START, _TASK = "00_start_here", "01_the_slow_downstream_task"
_MANY, _ONE = "02_many_models_in_turn", "03_one_model_in_a_row"
_TUNE, _AGENTS, _BELIEVE = "04_watch_and_tune", "05_agents_with_tools", "07_what_to_believe"

CLAIMS = (
    # --- what a value means
    Claim(
        "A bare number is minutes: 5 keeps the model for 5 minutes.",
        "A bare number is seconds: 5 is five seconds.",
        _BELIEVE, "by-hand", "leaves_in_s(5)",
        by_facts(
            "keep_alive 5", "keep_alive 300",
            seen="After 5 it left in 5 s; after 300 in 300 s.",
        ),
    ),
    Claim(
        'A number can be sent as text: "300", or "-1".',
        'As text it needs a unit ("300s"); without one the request is refused.',
        _BELIEVE, "as-text", '"300"',
        by_facts(
            'keep_alive "300"', 'keep_alive "-1"',
            seen="Both were refused: error 400, missing unit.",
        ),
        "clients that did: open-webui#753, karakeep#2409, Flowise#3576",
    ),
    Claim(
        "-1 never unloads.",
        "With -1 no clock runs, but the model is evicted when another one needs its place.",
        _MANY, "180c238d", "forever",
        by_facts(
            "forever is 292 years ahead", "forever is evicted too",
            seen="A model with -1 had to leave when another one needed its place.",
        ),
        "ollama#4681",
    ),
    Claim(
        "0 never unloads.",
        "0 unloads as soon as the answer has ended.",
        _START, "c06", "keep_alive=0",
        by_facts("zero leaves after the answer", seen="The model left when its answer had ended."),
        "a hosting company's guide: \"-1 or 0: never unload\"",
    ),
    # --- what holds when nothing is said
    Claim(
        "The default is 4 minutes.",
        "It is 5 minutes, unless OLLAMA_KEEP_ALIVE says otherwise; ollama ps rounds down.",
        _MANY, "fa6f02fd", "default_s",
        default_is(240),
        "ollama ps, just after an answer: \"4 minutes from now\"",
    ),
    Claim(
        "0 is the default.",
        "Left out is not 0: a newly loaded model gets the server's default.",
        _MANY, "fa6f02fd", "default_s",
        default_is(0),
        "vladimir-pejic/mileva, optimize-ollama.md",
    ),
    Claim(
        "Leaving keep_alive out resets it to 5 minutes.",
        "Leaving it out keeps the value in force; only a newly loaded model gets the default.",
        _MANY, "fa6f02fd", "keep_alive=None",
        by_facts(
            "absent keeps the value",
            seen="After 1000 s and a request without keep_alive it left in 1000 s.",
        ),
        "true until 2024: ollama PR#2146; acon96/home-llm#76",
    ),
    Claim(
        "The time counts from when the model was loaded.",
        "Each request that ends starts the whole time anew.",
        _START, "c10", "last answer",
        by_facts(
            "each request starts the clock anew",
            seen="A second request moved the time at which the model leaves.",
        ),
    ),
    Claim(
        "OLLAMA_KEEP_ALIVE sets the value for every request.",
        "It is for models that are loaded by a request without one, and is read by the server.",
        _BELIEVE, "environment", "OLLAMA_KEEP_ALIVE",
        by_facts(
            "the default counts at load",
            seen="A server with OLLAMA_KEEP_ALIVE=100s kept a request's 1000 s.",
        ),
        "ollama#5272, ollama#7773",
    ),
    # --- where it may stand, and what it does
    Claim(
        "keep_alive is one of the options.",
        "It is a field of the request itself; among the options it is ignored.",
        _BELIEVE, "options", '"options"',
        by_facts(
            "in options it is ignored",
            seen="Among the options, 5 changed nothing: 700 s stayed in force.",
        ),
    ),
    Claim(
        "The OpenAI door (/v1) takes keep_alive, too.",
        "There it is ignored: it neither sets nor resets the value.",
        _BELIEVE, "openai", "/v1/chat/completions",
        by_facts(
            "v1 ignores keep alive",
            seen="A request there with keep_alive 5 changed nothing: 1000 s stayed.",
        ),
        "asked for in ollama#11458",
    ),
    Claim(
        "Looking keeps a model alive (ollama ps, a monitor).",
        "Asking what is in memory starts no clock anew.",
        _START, "c10", "wait_until_gone",
        by_facts(
            "asking keeps nothing alive",
            seen="A model with 2 s left in time, though it was looked at all the while.",
        ),
    ),
    Claim(
        "The memory does not come back when a model leaves.",
        "Its runner's process ends, and all of its memory is free.",
        _TASK, "cell-09", "cure",
        by_facts(
            "its process has ended when it is gone",
            seen="When the model had left, its runner's process had ended.",
        ),
        "ollama#10597, ollama#8660",
    ),
    Claim(
        "0 gives all of the memory back.",
        "Yes, and so does ollama stop: nothing of the model stays.",
        _TASK, "cell-09", "gone by keep_alive=0",
        by_facts(
            "zero leaves after the answer", "its process has ended when it is gone", word=TRUE,
            seen="The model left with its answer, and its runner's process ended.",
        ),
        "griptape#1379",
    ),
    Claim(
        "A request without a prompt loads a model and asks it nothing.",
        "Yes: a preload. With another keep_alive it also changes the one in force.",
        _MANY, "fa6f02fd", "server.preload",
        by_facts(
            "generate without a prompt loads", "a preload changes the value", word=TRUE,
            seen="It was in memory when the reply came, and the reply had no answer in it.",
        ),
        "Ollama's own questions and answers",
    ),
    Claim(
        "Ollama forgets keep_alive: the model is loaded again all the same.",
        "A request with another num_ctx loads it anew, whatever the keep_alive.",
        _TUNE, "c10", "num_ctx",
        by_facts(
            "option num_ctx reloads",
            seen="Another num_ctx started another runner; the next request without it, too.",
        ),
        "ollama#7773, ollama#8903",
    ),
    Claim(
        "The least recently used model has to leave first.",
        "The one with the shortest keep_alive leaves first.",
        _MANY, "180c238d", '"second"',
        by_facts(
            "the shortest keep alive is evicted",
            seen="Of two the one with 60 s left, though the one with 600 s was used longer ago.",
        ),
    ),
    # --- which value is best
    Claim(
        "0 is best for many models.",
        "It is where they do not fit into memory together; else each call waits for a load.",
        _MANY, "79c1dd19", 'extra_waiting_s("0", than="5m")',
        many_models,
    ),
    Claim(
        "Longer is best for one model.",
        "It is up to T*; a longer pause is cheaper without the model, at your price for memory.",
        _ONE, "ac9d1574", "break_even",
        one_model,
    ),
    Claim(
        "A resident model slows down the next task.",
        "It does where the task needs the memory; else it costs nothing.",
        _TASK, "cell-09", "slowdown(",
        next_task,
        "griptape#1379 (65 s became 300 s), comfyui-ollama#10",
    ),
    Claim(
        "0 costs only the load.",
        "The whole conversation has to be read again, too.",
        _ONE, "assert-histories", "prompt_eval_s",
        only_the_load,
    ),
    Claim(
        "With 0 an agent's model stays until the agent is done.",
        "It leaves after each answer, and a call of a tool is one.",
        _AGENTS, "c08", "plain.loads",
        by_facts("zero leaves after the answer", seen="The model left when its answer had ended."),
    ),
)  # fmt: skip
"""The claims, in the order in which they are told."""
