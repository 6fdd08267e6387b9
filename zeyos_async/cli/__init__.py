"""The command ``zeyos-async``. ``main`` is its one entry."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

_REQUIRED = ("click", "rich")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: The arguments without the program's name; by default those of this process.

    Returns:
        The exit code.
    """
    # Before anything is opened, which could get the number of a missing stream.
    from .standard_streams import prepare_streams

    prepare_streams()
    # Without the extra [cli] these libraries are missing; a traceback would not say how to get them.
    try:
        from .error_boundary import run
    except ModuleNotFoundError as error:
        if error.name not in _REQUIRED:
            raise
        sys.stderr.write(f'zeyos-async needs {error.name}: pip install "zeyos-async[cli]"\n')
        return 1
    return run(sys.argv[1:] if argv is None else argv)
