"""Facts: which requests have a resident model loaded anew, and what shares a runner."""

from __future__ import annotations

from functools import partial

from lifecycle_widgets.facts.fact import Fact, add, fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, require, require_equal

TOPIC = "What has a resident model loaded anew"
_SOURCE = "server/sched.go, needsReload"
_TRAP = (("notebooks/04_watch_and_tune", "an option, such as `num_ctx`, differs"),)

# one option each, with a value that differs from the automatic one
RUNNER_OPTIONS = {"num_ctx": 1024, "num_batch": 256, "num_thread": 1, "use_mmap": True}
SAMPLING_OPTIONS = {
    "temperature": 0.1, "top_k": 3, "top_p": 0.5, "min_p": 0.1, "seed": 7, "num_predict": 3,
    "repeat_penalty": 1.3, "repeat_last_n": 8, "presence_penalty": 0.5, "frequency_penalty": 0.5,
    "stop": ["x"], "typical_p": 0.9, "num_keep": 2,
}  # fmt: skip


def _reloads(lab: Lab, model: str, **options: object) -> bool:
    """Whether a request with these options starts another runner."""
    before = lab.runners()
    lab.load(model, options=options)
    return lab.runners() != before


def _runner_option(name: str, value: object, lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    require(_reloads(lab, model, **{name: value}), f"{name}={value} loaded nothing anew")
    require(not _reloads(lab, model, **{name: value}), "the same once more loaded it anew")
    require(_reloads(lab, model), "without the option it was not loaded anew")


for _name, _value in RUNNER_OPTIONS.items():
    add(
        Fact(
            name=f"option {_name} reloads",
            sentence=f"Another {_name} does, and so does the next request without it.",
            topic=TOPIC,
            trial=partial(_runner_option, _name, _value),
            source=_SOURCE,
            taught=_TRAP if _name == "num_ctx" else (),
            is_slow=_name != "num_ctx",
        )
    )


@fact(TOPIC, f"Options of sampling do not ({', '.join(SAMPLING_OPTIONS)}).", source=_SOURCE)
def sampling_options_do_not(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    for name, value in SAMPLING_OPTIONS.items():
        require(not _reloads(lab, model, **{name: value}), f"{name} loaded it anew")


@fact(TOPIC, "num_ctx as large as the automatic one does not, nor does num_gpu below 0.",
      source=_SOURCE)  # fmt: skip
def what_comes_to_the_same_does_not(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    context = lab.entry(model).context_length
    if context is None:
        raise CannotTry("/api/ps does not tell the context length")
    require(not _reloads(lab, model, num_ctx=context), f"num_ctx={context} loaded it anew")
    require(not _reloads(lab, model, num_gpu=-1), "num_gpu=-1 loaded it anew")


@fact(TOPIC, "num_ctx beyond what the model was trained with counts as that.",
      source=_SOURCE, slow=True)  # fmt: skip
def num_ctx_is_at_most_the_trained_one(lab: Lab) -> None:
    model = lab.model
    info = lab.ask("/api/show", {"model": model})["model_info"]
    trained = next(value for key, value in info.items() if key.endswith(".context_length"))
    lab.load(model, options={"num_ctx": 2 * trained})
    require_equal(lab.entry(model).context_length, trained, "context_length")
    require(not _reloads(lab, model, num_ctx=2 * trained), "once more loaded it anew")
    require(not _reloads(lab, model, num_ctx=trained), "the trained one loaded it anew")
    lab.cold(model)


@fact(TOPIC, "A reload lets requests in flight finish first.", source=_SOURCE)
def a_reload_waits_for_requests(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    before = lab.runners()
    with lab.background() as post, lab.busy(model, tokens=60) as answer:
        changed = post("/api/generate", {"model": model, "options": {"num_ctx": 1024}})
        last = answer.rest()[-1]
        require_equal(last.get("done_reason"), "length", "the answer in flight ended with")
        require_equal(changed.result(60).status_code, 200, "the other request")
    require(lab.runners() != before, "it was not loaded anew")
    lab.cold(model)


def _copy(lab: Lab) -> str:
    """A second name for the smallest model's weights, on a private server."""
    name = "second-name:latest"
    reply = lab.post("/api/copy", {"source": lab.model, "destination": name})
    require_equal(reply.status_code, 200, "copy")
    return name


@fact(TOPIC, "Two names over the same weights share one runner; /api/ps shows the name that loaded "
      "it; to unload either unloads it.", source="server/sched.go, schedulerModelKey")  # fmt: skip
def two_names_share_a_runner(lab: Lab) -> None:
    with lab.private() as own:
        first, second = own.model, _copy(own)
        try:
            own.clear()
            own.load(first)
            before = own.children()
            own.load(second, 500)
            require_equal(own.children(), before, "processes")
            require_equal(own.names(), [first], "/api/ps")
            own.require_left(first, 500)
            own.load(second, 0)
            require(own.gone(first), "the first name is still in memory after 3 s")
        finally:
            own.http.request("DELETE", "/api/delete", json={"model": second})


@fact(TOPIC, "To delete a model does not unload it.", source="server/routes.go, DeleteHandler")
def deleting_does_not_unload(lab: Lab) -> None:
    with lab.private() as own:
        own.clear()
        name = _copy(own)
        own.load(name)
        gone = own.http.request("DELETE", "/api/delete", json={"model": name})
        require_equal(gone.status_code, 200, "delete")
        require_equal(own.names(), [name], "/api/ps")
        reply = own.post("/api/generate", {"model": name, "keep_alive": 0})
        require_equal(reply.status_code, 404, "to unload it by its name")
        own.load(own.model, 0)  # the other name of the same weights
        require(own.gone(name), "still in memory after 3 s")
