"""What is wrong with a server, or with how it is used: each finding with its evidence and advice.

`examine` looks and changes nothing; `show` and `to_json` tell what it found. It builds on `facts`
(what Ollama does, and in which versions) and on `error_advice`.
"""

from lifecycle_widgets.doctor.diagnosis import FAULT, GOOD, NOTE, SEVERITIES, WARNING, Diagnosis
from lifecycle_widgets.doctor.examine import examine
from lifecycle_widgets.doctor.looking import WATCH_S
from lifecycle_widgets.doctor.telling import counts_text, show, to_json

__all__ = [
    "FAULT",
    "GOOD",
    "NOTE",
    "SEVERITIES",
    "WARNING",
    "WATCH_S",
    "Diagnosis",
    "counts_text",
    "examine",
    "show",
    "to_json",
]
