"""Story: scenes in a random order from a seed, each played at least once, until the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tests.bench.crosscheck.stage import LARGE, MIDDLE, NAMES, SMALL, TWIN, Stage
from tests.griptape_tools import CLOCK

Scene = Callable[[Stage], None]
KEEP_ALIVES = (0, "2s", "5m", None)


def play(stage: Stage, at_least_s: float) -> int:
    """Play all scenes in a random order, and again until the time is up; how many were played."""
    ends_s, count = time.monotonic() + at_least_s, 0
    for scene in _shuffled(stage):
        if count >= len(SCENES) and time.monotonic() > ends_s:
            break
        count += 1
        stage.scene = f"scene {count}, {scene.__name__.replace('_', ' ')}"
        scene(stage)
        stage.weigh()
        stage.pause(1.0)
    time.sleep(2 * stage.monitor.interval_s)
    stage.ended_s = time.monotonic()
    return count


def _shuffled(stage: Stage) -> Iterator[Scene]:
    while True:
        yield from stage.chance.sample(SCENES, len(SCENES))


def _one(stage: Stage) -> str:
    return stage.chance.choice(NAMES)


def _two(stage: Stage) -> list[str]:
    """Two that are not one."""
    return stage.chance.sample((SMALL, MIDDLE, LARGE), 2)


# --- scenes ---------------------------------------------------------------------------------------


def requests_of_any_kind(stage: Stage) -> None:
    for _ in range(3):
        stage.ask(_one(stage), stage.chance.choice(KEEP_ALIVES))
        stage.pause(1.5)


def unloaded_after_each(stage: Stage) -> None:
    """The next load begins when the last runner has hardly gone."""
    model = _one(stage)
    for _ in range(3):
        stage.ask(model, 0)


def kept_for_two_seconds(stage: Stage) -> None:
    model = _one(stage)
    stage.ask(model, "2s")
    stage.weigh()
    if stage.chance.random() < 0.5:
        stage.ask(model)  # again, without a word: two seconds from its end on
    stage.until_gone(model)


def two_names_of_one_model(stage: Stage) -> None:
    first, second = stage.chance.sample((SMALL, TWIN), 2)
    stage.ask(first, "5m")
    stage.ask(second, stage.chance.choice(KEEP_ALIVES))


def another_num_ctx(stage: Stage) -> None:
    model = _one(stage)
    for num_ctx in (2048, 1024, 1024):
        stage.ask(model, "5m", options={"num_ctx": num_ctx})
        stage.pause(1.0)
    stage.weigh()


def one_and_another_and_the_first(stage: Stage) -> None:
    one, other = _two(stage)
    keep_alive = stage.chance.choice((0, "5m"))
    for model in (one, other, one):
        stage.ask(model, keep_alive)


def three_where_two_have_room(stage: Stage) -> None:
    for model in stage.chance.sample((SMALL, MIDDLE, LARGE), 3):
        stage.ask(model, "5m")
    stage.weigh()


def unloaded_by_us(stage: Stage) -> None:
    model = _one(stage)
    stage.ask(model, stage.chance.choice(("5m", -1)))
    stage.pause(1.5)
    stage.unload(model)


def unloaded_by_another_and_loaded_again(stage: Stage) -> None:
    one, other = _two(stage)
    stage.ask(one, "5m")
    stage.pause(1.5)
    stage.another(one, keep_alive=0)
    stage.until_gone(one)
    stage.pause(3.0)
    stage.ask(stage.chance.choice((one, other)), "5m")


def requests_of_another(stage: Stage) -> None:
    model = _one(stage)
    keep_alive = stage.chance.choice((0, 2, 300))
    for _ in range(3):
        options = {"num_predict": 6, "temperature": 0}
        stage.another(model, prompt="Hi", keep_alive=keep_alive, options=options)
        stage.pause(0.5)


def another_asks_meanwhile(stage: Stage) -> None:
    one, other = _two(stage)
    request = stage.another_meanwhile(other)
    stage.pause(1.0)
    for _ in range(2):
        stage.ask(one, "5m", is_alone=False)
    while not request.is_over:
        request.look()
        time.sleep(0.02)
    request.hang_up()


def stopped_while_it_answers(stage: Stage) -> None:
    model = _one(stage)
    stage.ask(model, "5m")
    stage.ask_and_stop(model, stage.chance.uniform(0.5, 1.5))


def stopped_while_it_loads(stage: Stage) -> None:
    stage.unload(LARGE)
    stage.ask_and_stop(LARGE, stage.chance.uniform(0.2, 0.8))
    stage.pause(1.0)


def a_killed_runner(stage: Stage) -> None:
    model = _one(stage)
    stage.ask(model, "5m")
    stage.pause(1.0)
    stage.kill()
    time.sleep(1.5)
    if stage.chance.random() < 0.5:
        stage.ask(model, "5m")


def a_conversation(stage: Stage) -> None:
    """Each prompt begins as the last one did: what the runner has read of it, it need not read."""
    model, keep_alive = _one(stage), stage.chance.choice((0, "5m"))
    history: list[tuple[str, str]] = []
    for question in ("Name three rivers of Europe.", "Which is the longest?", "And the shortest?"):
        answer = stage.ask(model, keep_alive, prompt=question, history=history, tokens=12).answer
        history.append((question, answer))


def a_prompt_that_is_too_long(stage: Stage) -> None:
    count = stage.chance.randint(80, 160)
    prompt = " ".join(
        f"The {ordinal}th lighthouse is white, as it was." for ordinal in range(count)
    )
    stage.ask(SMALL, "2s", prompt=prompt, options={"num_ctx": 512})


def tools_that_take_their_time(stage: Stage) -> None:
    says = {"text": "I look at the clock. "} if stage.chance.random() < 0.5 else {}
    answers = ({"tool_calls": [CLOCK], **says}, {"tool_calls": [CLOCK]}, {"text": "It is noon."})
    stage.ask_scripted(*answers, keep_alive=stage.chance.choice((0, "5m")))


def what_a_reload_costs(stage: Stage) -> None:
    stage.measure(stage.chance.choice((SMALL, MIDDLE)))


SCENES: tuple[Scene, ...] = (
    requests_of_any_kind,
    unloaded_after_each,
    kept_for_two_seconds,
    two_names_of_one_model,
    another_num_ctx,
    one_and_another_and_the_first,
    three_where_two_have_room,
    unloaded_by_us,
    unloaded_by_another_and_loaded_again,
    requests_of_another,
    another_asks_meanwhile,
    stopped_while_it_answers,
    stopped_while_it_loads,
    a_killed_runner,
    a_conversation,
    a_prompt_that_is_too_long,
    tools_that_take_their_time,
    what_a_reload_costs,
)
