"""What a PCI device is called, by the list that Linux distributions have of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lifecycle_widgets.monitor.system.text_files import text_of

_LISTS = tuple(Path("/usr/share", at, "pci.ids") for at in ("hwdata", "misc", ""))
_ID = re.compile(r"([0-9a-f]{4}):([0-9a-f]{4})")


def pci_name(pci_id: str, lists: Sequence[Path] = _LISTS) -> str | None:
    """The device's name; None where there is no such list, or it does not know it.

    Parameters
    ----------
    pci_id:
        The numbers of maker and device, in hexadecimals: ``"1002:744C"``.
    lists:
        Where the list may be; the first that there is counts.

    Examples
    --------
    >>> pci_name("1002:744C")  # doctest: +SKIP
    'Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]'
    """
    numbers = _ID.fullmatch(pci_id.lower())
    text = next((text for at in lists if (text := text_of(at))), "")
    if numbers is None:
        return None
    maker, device = numbers.groups()
    # a maker's devices follow its line, each behind a tab; two tabs are a board's
    wanted = rf"^{maker}  .*\n(?:[\t#].*\n)*?\t{device}  (.+)"
    found = re.search(wanted, text, re.MULTILINE)
    return found[1].strip() if found else None
