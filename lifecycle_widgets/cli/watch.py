"""``lifecycle-lab watch``: one or more servers, until Ctrl-C; also as JSON, and for Prometheus."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lifecycle_widgets import watch
from lifecycle_widgets.watch import Watched

_LEAST_S = 0.5
_EVERY_S = 5.0
_ABOUT = f"""\
Watches one or more Ollama servers until Ctrl-C, and prints what happens: models that come and
leave (and why), everyone's requests, and the server itself. It asks only what resets no timer, and
keeps what it sees in the history: sizes and times, never a prompt or an answer. Without an address
it is your own server (OLLAMA_HOST, else localhost); one that is away is watched until it is there.
A request is told some seconds after its end, when no witness can add to it any more.

With --json:
{watch.ABOUT}
With --metrics: lifecycle_ollama_up, lifecycle_ollama_model_resident_bytes,
lifecycle_ollama_requests_total and others, at http://127.0.0.1:PORT/metrics
"""


def main(words: Sequence[str]) -> int:
    """Watches, or prints a service's file; returns the exit status."""
    parser = _parser()
    known = parser.parse_args(words)
    if not _LEAST_S <= known.interval < float("inf"):
        parser.error(f"--interval is {known.interval:g}; give {_LEAST_S:g} s or more.")
    if known.metrics is not None and not 0 <= known.metrics <= 65535:
        parser.error(f"--metrics is {known.metrics}; a port is between 1 and 65535.")
    try:
        servers = watch.watched(known.servers)
    except ValueError as fault:
        parser.exit(2, f"lifecycle-lab: {fault}\n")
    if known.service is not None:
        if any("@" in one.address for one in servers):
            parser.exit(2, "lifecycle-lab: An address with a user or password is not written into "
                           "a file; set OLLAMA_HOST in the service's environment.\n")  # fmt: skip
        print(watch.service_text(known.service, _written(known, servers)), end="")
        return 0
    return _watch(known, servers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab watch",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("servers", nargs="*", metavar="ADDRESS | NAME=ADDRESS", help="which")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per line, for programs"
    )
    parser.add_argument(
        "--metrics", type=int, metavar="PORT", help="for Prometheus; 0: a free port"
    )
    parser.add_argument(
        "--interval",
        type=float,
        metavar="S",
        default=_EVERY_S,
        help="seconds between samples of --json (default: %(default)g)",
    )
    parser.add_argument("--no-history", action="store_true", help="keep nothing")
    parser.add_argument(
        "--service",
        choices=watch.SERVICES,
        help="print the file that has this command go on in the background, and what to do with it",
    )
    return parser


def _watch(known: argparse.Namespace, servers: Sequence[Watched]) -> int:
    widest = max(len(one.name) for one in servers) if len(servers) > 1 else 0
    out = sys.stdout
    write = watch.for_programs(out) if known.json else watch.for_people(out, widest)
    try:
        watch.watch(
            servers,
            write,
            watch.to_stderr,
            interval_s=known.interval,
            metrics_port=known.metrics,
            with_history=not known.no_history,
        )
    except BrokenPipeError:
        watch.leave_unread(out)
    return 0


def _written(known: argparse.Namespace, servers: Sequence[Watched]) -> list[str]:
    """The arguments once more, with all names and addresses in full."""
    named = {one.name: one.server.url for one in servers}
    words = [url if ":" in name else f"{name}={url}" for name, url in named.items()]
    words += ["--json"] if known.json else []
    words += ["--metrics", str(known.metrics)] if known.metrics is not None else []
    words += ["--interval", f"{known.interval:g}"] if known.interval != _EVERY_S else []
    return [*words, *(["--no-history"] if known.no_history else [])]
