"""lifecycle-lab: the notebooks in JupyterLab, and what needs no notebook."""

from lifecycle_widgets.cli.command_line import main
from lifecycle_widgets.cli.lab import jupyter_command, put_notebooks

__all__ = ["jupyter_command", "main", "put_notebooks"]
