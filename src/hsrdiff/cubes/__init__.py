"""Cubes in and out of files: the only code that takes file names of images."""

from hsrdiff.cubes.catalog import FORMATS, open_cube, write_cube
from hsrdiff.cubes.cube import as_cube, check_cube
from hsrdiff.cubes.formats import CreationOptions, CubeFormat

__all__ = ["FORMATS", "CreationOptions", "CubeFormat", "as_cube", "check_cube", "open_cube", "write_cube"]
