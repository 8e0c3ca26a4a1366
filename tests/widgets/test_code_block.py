"""CodeBlock: the code follows the traits, and nothing wrong gets in."""

from __future__ import annotations

import pytest

from lifecycle_widgets.code_snippets import snippets
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import CodeBlock


def test_it_shows_what_was_chosen_and_follows() -> None:
    block = CodeBlock("smollm2:135m", "5m")
    assert block.text == snippets("smollm2:135m", "5m")["griptape"]
    block.shown = "curl"
    assert block.text.startswith("curl --url http://localhost:11434")
    block.keep_alive, block.url = 0, "http://127.0.0.1:1"
    assert block.text == snippets("smollm2:135m", 0, "http://127.0.0.1:1")["curl"]
    block.shown = "server"
    assert block.text.endswith("OLLAMA_KEEP_ALIVE=0")
    assert repr(block) == "CodeBlock(model='smollm2:135m', keep_alive='0')"


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        CodeBlock("m", "5 minutes")
    with pytest.raises(TypeError, match="Did you mean 'shown'"):
        CodeBlock("m", show="curl")
    block = CodeBlock("m", "5m")
    with pytest.raises(ValueError, match="time"):
        block.keep_alive = "soon"
    assert "300" in block.text


def test_a_server_in_place_of_an_address_shows_no_secret() -> None:
    secret = "Sw0rdf1sh"
    with_password = Server(f"https://ann:{secret}@ollama.example/lab")
    with_key = Server("ollama.example", headers={"Authorization": f"Bearer {secret}"})
    for server, name in ((with_password, "OLLAMA_USER"), (with_key, "OLLAMA_API_KEY")):
        block = CodeBlock("m", "5m", url=server, shown="curl")
        assert block.url == server.url
        assert name in block.text
        block.shown, block.think = "griptape", True
        assert name in block.text
        assert '"think": True' in block.text
        assert secret not in f"{block._texts}{block!r}{block.get_state()}"
    assert "OLLAMA" not in CodeBlock("m", url=Server("localhost"), shown="curl").text


def test_think_is_a_choice() -> None:
    with pytest.raises(ValueError, match="think is 'yes'"):
        CodeBlock("m", think="yes")
    block = CodeBlock("m", "5m", think="low")
    assert '"think": "low"' in block.text
    with pytest.raises(ValueError, match="think is 2"):
        block.think = 2
