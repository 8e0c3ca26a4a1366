"""The command line says what there is."""

from __future__ import annotations

import pytest

from lifecycle_widgets.cli import main
from lifecycle_widgets.cli.words import COMMANDS


def test_the_bare_command_says_all_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  lifecycle-lab {command} " in told or f"\n  lifecycle-lab {command}\n" in told
