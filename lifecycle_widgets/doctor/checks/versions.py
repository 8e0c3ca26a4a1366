"""Versions of Ollama with a fault that matters here, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.facts.versions import HOLDS, Holds

_NAME, _HANG = "versions", "the queue hangs"


@dataclass(frozen=True)
class Known:
    """A fault, in which versions, who says so; ``is_severe``: it takes data or rights."""

    what: str
    where: Holds
    source: str
    is_severe: bool = False


def _reported(what: str, before: str, source: str, since: str | None = None) -> Known:
    return Known(what, Holds(since, before), f"as reported by {source}; not tried here", True)


KNOWN = (
    Known("a request without keep_alive sets it back to the default, and does not keep the value "
          "in force", Holds(before="0.1.49"), "Ollama's source, commit 955f2a4e0"),
    Known("keep_alive is cut to whole seconds: 0.5 unloads at once",
          Holds(before=HOLDS["keep_alive 0.5"][0].since),
          "Ollama's source, commit 108153243; tried here with 0.5.7"),
    Known("other models are evicted though there is room for them, above all without a GPU",
          Holds("0.11.5", "0.13.1"), "ollama/ollama issues 12001, 11974, 13227"),
    Known("a load can wait for ever when the model that is to leave for it gets a new request",
          HOLDS[_HANG][0], "ollama/ollama issue 17408; tried here, up to 0.34.0"),
    _reported("DNS rebinding: any web page can use it (CVE-2024-28224)", "0.1.29", "vulndb 2712"),
    _reported("files can be written from afar (CVE-2024-37032)", "0.1.34", "vulndb 2901"),
    _reported("a model file can end it (CVE-2024-39720)", "0.1.46", "vulndb 3245"),
    _reported("an archive can write outside of its folder (CVE-2024-45436)", "0.1.47",
              "vulndb 3104"),
    _reported("a pull can hand a token to another host (CVE-2025-51471)", "0.14.3",
              "vulndb 3824, for 0.6.7"),
    _reported("its memory can be read by creating a model (CVE-2026-7482)", "0.17.1",
              "the Cloud Security Alliance"),
    _reported("a digest can name a path outside of its folder (CVE-2026-7020)", "0.20.3",
              "vulndb 5750"),
)  # fmt: skip
"""The faults that are told of; the bounds are those of the sources."""


def known_bad(seen: Seen) -> Iterator[Diagnosis]:
    """What is known of the version that answers."""
    version = seen.version
    if not re.match(r"\d+\.\d+", version) or version.startswith("0.0.0"):
        yield unseen(_NAME, "what is known of this version of Ollama",
                     f"It calls itself {version!r}.")  # fmt: skip
        return
    found = [known for known in KNOWN if known.where.holds_in(version)]
    severe = [known for known in found if known.is_severe]
    behaves = [known for known in found if not known.is_severe]
    if severe:
        yield _diagnosis(version, severe, "holes that others have closed", WARNING)
    if behaves:
        curable = any(known.where.before is not None for known in behaves)
        yield _diagnosis(version, behaves, "known faults", WARNING if curable else NOTE)
    if not found:
        yield Diagnosis(_NAME, f"Nothing bad is known of Ollama {version}.", severity=GOOD)


def _diagnosis(version: str, found: list[Known], what: str, severity: str) -> Diagnosis:
    open_still = all(known.where.before is None for known in found)
    until = max((known.where.before or "" for known in found), key=_key)
    return Diagnosis(
        _NAME,
        f"Ollama {version} has {what}: {'; '.join(known.what for known in found)}.",
        tuple(f"{known.where}: {known.what} ({known.source})" for known in found),
        "No version is known without it: where it happens, unload the model that was to leave."
        if open_still
        else f"Install a newer Ollama: {until} or later.",
        severity,
        (_HANG,) if any("wait for ever" in known.what for known in found) else (),
    )


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
