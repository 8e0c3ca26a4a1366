"""The server's log, where it can be read: a file, the journal, or a container's."""

from lifecycle_widgets.monitor.traffic.witnesses.log.log import Line, ServerLog

__all__ = ["Line", "ServerLog"]
