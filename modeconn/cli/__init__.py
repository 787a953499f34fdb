"""The command line: ``modeconn COMMAND``. The only part of the package that prints."""

from modeconn.cli.main import main

__all__ = ["main"]
