"""Facts: /api/ps, tags, show and version: the fields and units that are read here."""

from __future__ import annotations

import re
from datetime import datetime

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "Lists: ps, tags, show, version"
_PS = "server/routes.go, PsHandler"
_TAGS = "server/routes.go, ListHandler"
_SHOW = "server/routes.go, ShowHandler"
_PS_FIELDS = ["name", "model", "size", "digest", "details", "expires_at", "size_vram"]
_DETAILS = ["parent_model", "format", "family", "families", "parameter_size", "quantization_level"]


@fact(TOPIC, 'An empty /api/ps is {"models":[]}.', source=_PS)
def an_empty_ps(lab: Lab) -> None:
    lab.clear()
    require_equal(lab.http.get("/api/ps").text, '{"models":[]}', "/api/ps")


@fact(TOPIC, "An entry of /api/ps has name, model, size, digest, details, expires_at and "
      "size_vram, in this order; the tag is always there.", source=_PS)  # fmt: skip
def fields_of_ps(lab: Lab) -> None:
    lab.load(lab.model)
    entry = lab.ps()[0]
    require_equal(list(entry)[:7], _PS_FIELDS, "fields")
    require_equal(list(entry["details"])[:6], _DETAILS, "details")
    require_equal(entry["name"], entry["model"], "name")
    require(":" in entry["name"], entry["name"])


@fact(TOPIC, "It has context_length, too.", source=_PS)
def ps_tells_the_context_length(lab: Lab) -> None:
    lab.load(lab.model)
    entry = lab.ps()[0]
    require(isinstance(entry.get("context_length"), int), f"fields: {list(entry)}")


@fact(TOPIC, "The digest in /api/ps and /api/tags is that of the manifest: 64 hexadecimal digits, "
      "the same in both.", source=_PS)  # fmt: skip
def digests_are_the_same(lab: Lab) -> None:
    lab.load(lab.model)
    entry = lab.ps()[0]
    require(re.fullmatch("[0-9a-f]{64}", entry["digest"]), entry["digest"])
    tags = {m["name"]: m["digest"] for m in lab.http.get("/api/tags").json()["models"]}
    require_equal(tags[entry["name"]], entry["digest"], "the digest in /api/tags")


@fact(TOPIC, "size is in bytes and more than the weights (context and buffers count); size_vram "
      "is the part on GPUs, 0 without one.", source="llm/llama_server.go, MemorySize",
      taught=(("lifecycle_widgets/server/values", "weights, context, compute buffers"),)
      )  # fmt: skip
def size_is_weights_and_buffers(lab: Lab) -> None:
    lab.load(lab.model)
    entry = lab.ps()[0]
    weights = lab.server.weights_path(lab.model)
    on_disk = lab.server.require(lab.model).size_bytes or 0
    require(on_disk, "/api/tags does not tell its size")
    require(weights and 0.9 * on_disk < entry["size"] < 20 * on_disk, f"{entry['size']} bytes")
    require(entry["size"] > on_disk, f"size {entry['size']}, on disk {on_disk}")
    require(0 <= entry["size_vram"] <= entry["size"], f"size_vram {entry['size_vram']}")
    if lab.sandbox is not None:
        require_equal(entry["size_vram"], 0, "size_vram")


@fact(TOPIC, "/api/ps is sorted: the last to expire first.", source=_PS)
def ps_is_sorted_by_deadline(lab: Lab) -> None:
    with lab.private() as own:
        first, second = own.models[:2]
        own.load(first, 500)
        own.load(second, 100)
        require_equal([e["name"] for e in own.ps()], [first, second], "/api/ps")
        own.load(second, 900)
        require_equal([e["name"] for e in own.ps()], [second, first], "/api/ps then")
        own.server.unload(second)


@fact(TOPIC, "/api/tags lists what is installed with its size on disk in bytes, the one changed "
      "last first (within a second: in any order).", source=_TAGS)  # fmt: skip
def fields_of_tags(lab: Lab) -> None:
    models = lab.http.get("/api/tags").json()["models"]
    require(models, "no models")
    for model in models:
        for field in ("name", "model", "modified_at", "size", "digest", "details"):
            require(field in model, f"{model.get('name')} has no {field}")
    times = [_seconds(m["modified_at"]) for m in models]
    require_equal(times, sorted(times, reverse=True), "modified_at")


def _seconds(time: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"\.\d+", "", time.replace("Z", "+00:00")))


@fact(TOPIC, "/api/tags says what a model can do (capabilities).", source=_TAGS)
def tags_tell_capabilities(lab: Lab) -> None:
    model = lab.http.get("/api/tags").json()["models"][0]
    require("completion" in model.get("capabilities", ()), f"fields: {list(model)}")


@fact(TOPIC, "/api/show has the Modelfile, whose FROM names the weights file, and model_info with "
      "the context that the model was trained with.", source=_SHOW)  # fmt: skip
def show_names_the_weights(lab: Lab) -> None:
    shown = lab.ask("/api/show", {"model": lab.models[0]})
    require(re.search(r"^FROM .*sha256-[0-9a-f]{64}$", shown["modelfile"], re.M), "no FROM")
    lengths = [v for k, v in shown["model_info"].items() if k.endswith(".context_length")]
    require(lengths and isinstance(lengths[0], int), f"context_length {lengths}")


@fact(TOPIC, "/api/show says what a model can do (capabilities).", source=_SHOW)
def show_tells_capabilities(lab: Lab) -> None:
    shown = lab.ask("/api/show", {"model": lab.models[0]})
    require("completion" in shown.get("capabilities", ()), f"fields: {list(shown)}")


@fact(TOPIC, '/api/version is {"version": "..."}; / says that Ollama is running; both answer HEAD.',
      source="server/routes.go, GenerateRoutes")  # fmt: skip
def version_and_root(lab: Lab) -> None:
    require_equal(list(lab.http.get("/api/version").json()), ["version"], "/api/version")
    require_equal(lab.http.get("/").text, "Ollama is running", "/")
    for path in ("/", "/api/version", "/api/tags"):
        require_equal(lab.http.head(path).status_code, 200, f"HEAD {path}")


@fact(TOPIC, "An unknown path is 404 in plain text.", source="server/routes.go, GenerateRoutes")
def an_unknown_path(lab: Lab) -> None:
    reply = lab.http.get("/api/nothing")
    require_equal((reply.status_code, reply.text), (404, "404 page not found"), "answered")


@fact(TOPIC, "A known path with another method is 405.", source="server/routes.go, GenerateRoutes")
def another_method(lab: Lab) -> None:
    require_equal(lab.http.get("/api/generate").status_code, 405, "status")
