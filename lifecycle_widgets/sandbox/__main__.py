"""`python -m lifecycle_widgets.sandbox program|models|remove`: prepare or remove, and no more.

`program` needs the standard library and pip only, so that it can run while packages install.
"""

from __future__ import annotations

import sys

from lifecycle_widgets.sandbox.errors import SandboxError


def main(arguments: list[str]) -> int:
    """Do one thing; return the exit code."""
    try:
        if arguments == ["program"]:
            from lifecycle_widgets.sandbox.program import prepare_program

            program = prepare_program()
            print(f"Ollama {program.version}: {program.path}")
        elif arguments == ["models"]:
            from lifecycle_widgets.sandbox.preparation import prepare

            prepare()
        elif arguments == ["remove"]:
            from lifecycle_widgets.sandbox.cache import cache_dir, remove

            print(f"{cache_dir()} " + ("removed" if remove() else "was not there"))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
