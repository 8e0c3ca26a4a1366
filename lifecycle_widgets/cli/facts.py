"""``lifecycle-lab facts``: which facts hold on the reader's Ollama, and what people say of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from lifecycle_widgets.cli.own_server import named_version, own_server
from lifecycle_widgets.sandbox import Sandbox, SandboxError
from lifecycle_widgets.server import Server

if TYPE_CHECKING:
    from lifecycle_widgets.facts import Finding, Lab


def main(words: Sequence[str]) -> int:
    """Tries them and prints which hold; returns 1 when some surprise (of claims: always 0)."""
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab facts",
        description="Which facts hold on this Ollama.",
        allow_abbrev=False,
    )
    parser.add_argument("--slow", action="store_true", help="also those that take long")
    parser.add_argument("--private", action="store_true", help="on the private Ollama")
    parser.add_argument("--topic", default="", help="only those with this word in their heading")
    parser.add_argument("--claims", action="store_true", help="what people say, and is it so here")
    parser.add_argument("--json", action="store_true", help="the claims as JSON")
    known = parser.parse_args(words)
    if known.claims:
        if known.slow or known.topic:
            parser.error("--claims tells all of them: leave out --slow and --topic.")
        return _claims(known.private, known.json)
    if known.json:
        parser.error("--json is for the claims: add --claims.")
    from lifecycle_widgets.facts import FACTS, TOPICS, check, show

    chosen = [f for f in FACTS.values() if known.topic.lower() in f.topic.lower()]
    if not chosen:
        parser.error(f"no topic has {known.topic!r} in it. There are: {'; '.join(TOPICS)}")
    with _server_for_facts(known.private) as lab:
        whose = "private" if lab.sandbox is not None else "own"
        print(f"{named_version(lab.server)} at {lab.server.url} ({whose})")
        found: list[Finding] = []
        show(_kept(check(lab, slow=known.slow, facts=chosen), found))
    held, not_held = (sum(one.holds is holds for one in found) for holds in (True, False))
    surprises = sum(one.is_surprise for one in found)
    print(f"\n{held} hold, {not_held} do not, {len(found) - held - not_held} were not tried; "
          f"{surprises} otherwise than expected of this version.")  # fmt: skip
    return 1 if surprises else 0


def _claims(private: bool, as_json: bool) -> int:
    """Print the claims; without a server those that need none."""
    from lifecycle_widgets.facts.claims import judged

    try:
        with _server_for_facts(private) as lab:
            told = judged(lab)
    except (ConnectionError, SandboxError) as lacking:
        print(f"{lacking}\nSo no server is asked.", file=sys.stderr)
        told = judged(None)
    print(json.dumps(told.rows, indent=2, ensure_ascii=False) if as_json else told)
    return 0


def _kept(findings: Iterator[Finding], found: list[Finding]) -> Iterator[Finding]:
    """The same, and each is put into the list as it comes."""
    for finding in findings:
        found.append(finding)
        yield finding


@contextmanager
def _server_for_facts(private: bool) -> Iterator[Lab]:
    from lifecycle_widgets.facts import Lab

    own = own_server(private)
    if own is not None:
        with closing(Lab(own)) as lab:
            yield lab
        return
    with Sandbox() as sandbox, closing(Lab(Server(sandbox.url), sandbox)) as lab:
        yield lab
