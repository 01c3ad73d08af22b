"""The command line: one file per command, each parses, calls one job and prints."""

from hsrdiff.cli.app import app, main

__all__ = ["app", "main"]
