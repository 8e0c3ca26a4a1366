"""CodeBlock: the code follows the traits, and nothing wrong gets in."""

from __future__ import annotations

import pytest

from lifecycle_widgets.code_snippets import snippets
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
