"""The program as a text: quoted, without secrets, and with what cannot be written in a comment."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle_widgets.griptape_code import griptape_code
from lifecycle_widgets.griptape_code.imports import Imports
from lifecycle_widgets.griptape_code.texts import long_text, python_text
from tests.griptape_tools import clock

SECRET = "Sw0rdf1sh"
QUIET = {"install_dependencies_on_init": False}

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # lone surrogates, too: a text from a file that was read leniently
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(plain)
def test_a_value_is_what_it_was(value: Any) -> None:
    assert ast.literal_eval(python_text(value)) == value


@given(st.text(st.characters(codec=None)))
@example("one\n\n")
@example("\"\n'\\\n")
def test_a_long_text_is_what_it_was(text: str) -> None:
    assert ast.literal_eval(long_text(text)) == text
    assert "\r" not in long_text(text)


def test_what_is_no_plain_value_is_refused() -> None:
    for value in (float("nan"), float("inf"), object(), b"x"):
        with pytest.raises(ValueError, match="cannot be written as code"):
            griptape_code(model="m", options={"stop": value})


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    code = griptape_code(model="m", options={"seed": np.int64(3), "top_p": np.float32(0.5)})
    assert '{"seed": 3, "top_p": 0.5}' in code


@pytest.mark.parametrize("prompt", ["", "Hi"])
def test_a_secret_is_read_and_never_written(prompt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://ann:{SECRET}@ollama.example/lab?key={SECRET}"
    code = griptape_code(model="m", url=url, prompt=prompt)
    assert SECRET not in code
    assert 'host="https://ollama.example/lab"' in code
    assert 'os.environ["OLLAMA_USER"]' in code
    monkeypatch.setenv("OLLAMA_API_KEY", SECRET)
    code = griptape_code(model="m", prompt=prompt)
    assert SECRET not in code
    assert "OLLAMA_API_KEY" in code


def test_without_anything_chosen_it_is_as_short_as_can_be() -> None:
    lines = griptape_code(model="m").splitlines()
    assert lines[-4:] == [
        "driver = OllamaPromptDriver(",
        '    model="m",',
        ")",
        "agent = Agent(prompt_driver=driver)",
    ]


def test_two_things_of_one_name_are_both_imported() -> None:
    imports = Imports(["driver"])
    names = [imports.name(home, "Run") for home in ("a", "b", "a")] + [imports.name("c", "driver")]
    assert names == ["Run", "Run_2", "Run", "driver_2"]
    assert "from b import Run as Run_2" in str(imports)


# --- tools ---------------------------------------------------------------------------------------


def tools_of(code: str) -> str:
    """The lines between the brackets."""
    ast.parse(code)
    return code.partition("tools=[\n")[2].partition("\n    ],")[0].strip()


def written(tool: Any) -> str:
    return tools_of(griptape_code(model="m", tools=[tool]))


def test_griptapes_own_are_written_as_they_were_made() -> None:
    from griptape.tools import CalculatorTool, DateTimeTool, FileManagerTool, WebScraperTool

    for kind in (CalculatorTool, DateTimeTool, FileManagerTool, WebScraperTool):
        name = kind.__name__
        assert written(kind(**QUIET)) == f"{name}(install_dependencies_on_init=False),"
    named = CalculatorTool(name="Sums", off_prompt=True, **QUIET)
    line = 'CalculatorTool(name="Sums", off_prompt=True, install_dependencies_on_init=False),'
    assert written(named) == line
    assert "from griptape.tools import CalculatorTool\n" in griptape_code(model="m", tools=[named])


def test_it_is_the_same_tool_while_and_after_an_agent_has_it() -> None:
    from griptape.structures import Agent
    from griptape.tools import CalculatorTool

    tool = CalculatorTool(off_prompt=True, **QUIET)
    before = written(tool)
    Agent(tools=[tool], prompt_driver=_driver())
    assert tool.output_memory, "griptape gives it one"
    assert written(tool) == before


def _driver() -> Any:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver

    return OllamaPromptDriver(model="m")


def test_what_cannot_be_written_is_said() -> None:
    from griptape.drivers.file_manager.local import LocalFileManagerDriver
    from griptape.tools import EmailTool, FileManagerTool, RestApiTool

    assert written(clock()) == "# put your Clock here (of tests.griptape_tools)"
    elsewhere = FileManagerTool(file_manager_driver=LocalFileManagerDriver(workdir="/"), **QUIET)
    line = "# put your FileManagerTool here (of griptape.tools), with its own file_manager_driver"
    assert written(elsewhere) == line
    for private in (
        EmailTool(smtp_host="mail.example", smtp_password=SECRET, **QUIET),
        RestApiTool(base_url=f"https://ann:{SECRET}@a.example", description="It", **QUIET),
        RestApiTool(
            base_url="https://a.example",
            description="It",
            request_headers={"Authorization": SECRET},
            **QUIET,
        ),
    ):
        assert SECRET not in written(private)
        assert written(private).startswith(f"# put your {type(private).__name__} here")


def test_a_tool_with_a_constructor_of_its_own_or_that_was_changed() -> None:
    kind = type(clock())

    class Zone(kind):  # type: ignore[misc, valid-type]
        def __init__(self, city: str) -> None:
            super().__init__(**QUIET)
            self.city = city

    assert written(Zone("Rome")) == "# put your Zone here (of test_written), with its own city"
    changed = clock()
    changed.city = "Rome"  # type: ignore[attr-defined]
    assert written(changed).endswith("with its own city")


def test_one_of_a_notebook() -> None:
    kind = type(clock())
    own = type("Own", (kind,), {"__module__": "__main__"})
    assert written(own(**QUIET)) == "# put your Own here (of your notebook)"
    evil = type("Own\nimport os", (kind,), {"__module__": "__main__"})
    assert written(evil(**QUIET)).startswith("# put your ? here")


def test_it_is_json_on_the_wire_that_counts() -> None:
    """A tuple is a list there."""
    code = griptape_code(model="m", options={"stop": ("a", "b")})
    assert json.loads(code.partition("update(")[2].partition(")")[0]) == {"stop": ["a", "b"]}
