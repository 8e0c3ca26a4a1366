"""The magic: ``%load_ext lifecycle_widgets``, then ``%%agent`` runs a cell's text as a prompt."""

from lifecycle_widgets.magic.agent_magic import load

__all__ = ["load"]
