"""The command line: one file per command, each parses, calls one job and prints."""

from hsrdiff.cli.start import main

__all__ = ["main"]
