"""The command line without a process of its own."""

from typer.testing import CliRunner

from hsrdiff.cli.app import app

COMMANDS = ("demo", "info", "check", "simulate", "fuse", "evaluate", "quality", "train", "benchmark", "reproduce")


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], terminal_width=200)
