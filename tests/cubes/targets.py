"""Paths to write each format to."""

from hsrdiff.cubes import FORMATS


def target(folder, name):
    return folder / ("scene" + FORMATS[name].suffixes[0])
