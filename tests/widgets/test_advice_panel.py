"""AdvicePanel: the curve is exact, nothing is advised without a price, nothing changed unasked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traitlets import TraitError
from widget_parts import button, shown, until

from lifecycle_widgets import KeepAlive, Server, TuningLab
from lifecycle_widgets.advisor.policies.policy import gap_cost, least_cost
from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.replay.profile import profile
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.widgets.advice_panel import AdvicePanel
from lifecycle_widgets.widgets.advice_panel.curve import Curve
from lifecycle_widgets.widgets.advice_panel.picture import draw, empty_figure
from tests.history.history_tools import SERVER, Watching, request, stay
from tests.recorded import RecordedServer, ollama

Shut = Callable[[Any], Any]
SMALL = "smollm2:135m"
NASTY = "<img src=x onerror=alert(1)>:1b"
CHANCE = np.random.default_rng(16)
GAPS_S = CHANCE.lognormal(4.0, 1.5, 200)


def stream(name: str, gaps_s: Any) -> Stream:
    """Answers of 2 s, with these idle gaps between."""
    start_s = np.concatenate([[0.0], np.cumsum(np.asarray(gaps_s) + 2.0)])
    return Stream(name, start_s, start_s + 2.0, np.full(len(gaps_s), True), len(gaps_s) + 1)


WORKLOAD = Workload(
    (stream(SMALL, GAPS_S), stream(NASTY, np.full(20, 3600.0))), "an example", ("trace",)
)


def drawn(panel: AdvicePanel) -> dict[str, Any]:
    """The figure's lines by their name, up to the colon, that are to be seen."""
    figure = panel._shown.figure
    return {
        trace.name.partition(":")[0]: trace
        for trace in figure.data
        if trace.visible in (None, True)
    }


@pytest.mark.parametrize("t_star_s", [10.0, 120.0])
def test_the_curve_is_what_each_gap_costs(t_star_s: float) -> None:
    curve = Curve(profile(GAPS_S), t_star_s)
    least = sum(least_cost(gap_s, t_star_s) for gap_s in GAPS_S)
    points = list(curve.points())
    assert [points[0].ttl_s, points[-1].ttl_s] == [0.0, math.inf]
    for point in points[::20]:
        cost = sum(gap_cost(gap_s, point.ttl_s, t_star_s) for gap_s in GAPS_S)
        assert point.over == pytest.approx(cost / least)
        assert point.reloads == sum(gap_s > point.ttl_s for gap_s in GAPS_S)
    assert min(point.over for point in points) >= 1
    assert curve.at(t_star_s).over <= 2, "the break-even never costs more than twice the least"


def test_what_is_not_known_is_not_drawn() -> None:
    figure, curve = empty_figure(), Curve(profile(GAPS_S), 120.0)
    draw(figure, curve, "m", KeepAlive("5m"), KeepAlive("forever"))
    line, floor, t_star, today, then = figure.data
    assert (today.x, today.y) == ((300.0,), (curve.at(300.0).over,))
    assert then.x[0] == line.x[-1] > 7 * 86400, "forever stands at the end"
    assert set(floor.y) == {1}
    assert set(t_star.x) == {120.0}
    draw(figure, curve, "m", KeepAlive(None), None)
    assert (today.visible, then.visible) == (False, False)


def test_nothing_is_advised_without_a_price(shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD))
    assert "What is a reload worth to you?" in shown(panel)
    with pytest.raises(RuntimeError, match="Move the slider"):
        panel.wait()
    for wrong in (0, -5, math.nan, math.inf, "2m"):
        with pytest.raises((ValueError, TraitError), match="T"):
            panel.price = wrong
    assert panel.price is None
    assert panel._shown.children == ()
    panel._t_star.slider.value = 90.0
    assert panel.price == Price(t_star_s=90.0)
    assert panel.wait(60).models[0].t_star_s == 90.0
    assert "worth to you?" not in shown(panel)


def test_the_advice_is_shown_and_follows_the_slider(shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD, 120))
    one = panel.wait(60).models[0]
    assert panel._t_star.slider.value == 120.0
    assert drawn(panel)["today"].name == "today: 5m"
    assert drawn(panel)["advice"].name == f"advice: {one.keep_alive}"
    text = shown(panel)
    assert one.guarantee.replace("'", "&#x27;") in text
    assert "For the server: <b>OLLAMA_KEEP_ALIVE=" in text
    assert NASTY not in text
    panel._t_star.slider.value = 3600.0
    assert "advice" not in drawn(panel), "the curve follows at once; the old value is not of it"
    assert drawn(panel)["T* 3600 s"].x[0] == 3600.0
    assert panel.wait(60).models[0].t_star_s == 3600.0
    assert "advice" in drawn(panel)


def test_the_price_is_shown_in_the_other_ways(shut: Shut) -> None:
    price = Price(s_per_gb_min=1.0)
    panel = shut(AdvicePanel(WORKLOAD, price, reload_s=2.0, held_bytes=0.5e9))
    one = panel.wait(60).models[0]
    assert panel._t_star.slider.value == one.t_star_s == 240.0
    assert price.in_words(2.0, 0.5e9) in shown(panel)
    assert panel.price is price
    for column in ("T*", "waiting, s", "idle, GB h", "saves a day, s"):
        assert f">{column}</th>" in panel._shown._table.value
    plain = shut(AdvicePanel(WORKLOAD, 240))
    plain.wait(60)
    assert "GB h" not in plain._shown._table.value, "what is not known has no column"


def test_another_model_is_chosen(shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD, 120))
    panel.wait(60)
    panel._model.value = NASTY
    assert panel.model == NASTY
    assert panel._shown.figure.layout.title.text.startswith("What &lt;img")
    value = panel.wait(60).model(NASTY).keep_alive
    assert drawn(panel)["advice"].name == f"advice: {value}"
    with pytest.raises((KeyError, TraitError), match="There is no advice"):
        panel.model = "llama3.2"
    panel.price = 240
    panel.wait(60)
    assert panel._model.value == NASTY, "it stays chosen"


def test_it_is_copied_in_seven_forms(shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD, 120, server="http://ann:Sw0rdf1sh@192.0.2.1:11434"))
    advice = panel.wait(60)
    texts = panel._shown.code.texts
    assert list(texts) == ["griptape", "curl", "shell", "systemd", "launchd", "docker", "setx"]
    value = advice.models[0].keep_alive
    assert f'"keep_alive": {json.dumps(value.to_json())}' in texts["griptape"]
    for form in ("shell", "systemd", "docker"):
        for name, written in advice.server.settings.items():
            assert f"{name}={written}" in texts[form]
    assert "Sw0rdf1sh" not in str(texts)
    panel._shown._open.value = True
    assert panel._shown.code in panel._shown._code.children


def test_an_empty_history_is_one_sentence_and_no_advice(shut: Shut, tmp_path: Path) -> None:
    panel = shut(AdvicePanel(History(tmp_path / "history.sqlite"), 120))
    with pytest.raises(RuntimeError, match="has no requests yet"):
        panel.wait(60)
    assert panel._message.value.count("has no requests yet") == 1
    assert (panel.advice, panel._shown.children) == (None, ())
    assert panel._model.layout.display == "none", "there is none to choose"


def test_a_fault_is_one_message_and_a_better_file_is_read(shut: Shut, tmp_path: Path) -> None:
    path = tmp_path / "asked.csv"
    path.write_text("stream,start_s,service_s\na,one,2\n")
    panel = shut(AdvicePanel(path, 120))
    with pytest.raises(RuntimeError, match="one"):
        panel.wait(60)
    assert "lw-error" in panel._message.value
    path.write_text("stream,start_s,service_s\n" + "".join(f"a,{n * 60},2\n" for n in range(40)))
    button(panel, "Look again").click()
    assert panel.wait(60).models[0].model == "a"
    assert panel._message.value == ""


def kept(history: History, server: Server, model: str) -> None:
    """Thirty requests in three quarters of an hour, watched, at a keep_alive of 40 s."""
    watching = Watching(server)
    watching.stays = (stay(2900.0, None, model),)
    with history.keep(watching):
        watching.see(ago_s=3000.0)
        watching.see(*(request(90.0 * n, 0.5, model, keep_alive_s=40.0) for n in range(30, 0, -1)))


def test_of_a_history_what_its_server_was_asked(shut: Shut, tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    kept(history, SERVER, "a:latest")
    kept(history, Server("192.0.2.2"), "b:latest")
    panel = shut(AdvicePanel(history, 120, server=SERVER))
    [one] = panel.wait(60).models
    assert one.model == "a:latest"
    assert drawn(panel)["today"].name == "today: 40s"


def test_it_is_given_to_a_model_in_memory_after_a_yes(server: Server, shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD, 120, server=server))
    value = panel.wait(60).models[0].keep_alive
    give = button(panel, f"Give {value} to {SMALL} now")
    give.click()
    until(lambda: "is not in memory" in shown(panel))
    server.touch(SMALL, "1h", options={"num_ctx": 1024})
    began = server.resident(SMALL)
    assert began is not None
    give.click()
    until(lambda: "Its time begins anew" in shown(panel))
    assert "is not in memory" not in shown(panel)
    button(panel, "Leave it").click()
    assert server.resident(SMALL) == began
    give.click()
    until(lambda: "Its time begins anew" in shown(panel))
    button(panel, "Do it").click()
    until(lambda: "Done." in shown(panel))
    until(lambda: server.resident(SMALL).expires_in_s() == pytest.approx(value.seconds, abs=5))
    assert server.resident(SMALL).context_length == 1024, "it was not loaded anew"
    panel._shown._apply.offer(SMALL, KeepAlive(0))
    button(panel, f"Give 0 to {SMALL} now").click()
    until(lambda: "It will be unloaded now" in shown(panel))
    button(panel, "Do it").click()
    until(lambda: server.resident(SMALL) is None)
    button(panel, "Do it").click()  # it has left meanwhile
    until(lambda: "is not in memory" in shown(panel))
    assert server.resident(SMALL) is None, "nothing is loaded by it"


def test_a_server_that_is_gone_is_one_message(shut: Shut) -> None:
    panel = shut(AdvicePanel(WORKLOAD, 120, server="127.0.0.1:1"))
    panel.wait(60)
    button(panel, "Give").click()
    until(lambda: "127.0.0.1:1" in panel._shown._apply._fault.value)


def test_the_labs_drawer_sets_the_labs_choice(
    shut: Shut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(tmp_path / "history.sqlite"))
    with RecordedServer(ollama()) as recorded:
        model = Server(recorded.url).models()[0].name
        kept(History(), Server(recorded.url), model)
        lab = shut(TuningLab(recorded.url))
        lab.drawers.opened = "Advice"
        panel = lab.drawers.part
        assert "worth to you?" in shown(panel)
        panel.price = 120
        value = panel.wait(60).model(model).keep_alive
        button(panel, f"Use {value} in the lab").click()
        assert (lab.model, lab.keep_alive) == (model, value)
        assert "next run sends" in shown(panel)
        lab.drawers.opened = ""
        assert panel.comm is None, "it is closed"
