"""How much main memory an experiment can have: of the machine, or of the container it runs in."""

from __future__ import annotations

import psutil

from lifecycle_widgets.container_memory import container_memory


def free_memory_bytes() -> int:
    """The memory that processes of ours can still have without swapping, in bytes.

    What the operating system calls available; in a container (a notebook server of JupyterHub or
    Binder, say) less, when it has a limit.

    Examples
    --------
    >>> 0 <= free_memory_bytes() <= psutil.virtual_memory().total
    True
    """
    available_bytes: int = psutil.virtual_memory().available
    container = container_memory()
    return available_bytes if container is None else min(available_bytes, container.free_bytes)
