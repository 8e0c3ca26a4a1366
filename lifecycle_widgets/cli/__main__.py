"""``python -m lifecycle_widgets.cli`` is ``lifecycle-lab``."""

import sys

from lifecycle_widgets.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
