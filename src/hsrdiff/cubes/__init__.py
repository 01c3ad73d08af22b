"""Cubes in and out of files: the only code that takes file names of images."""

from hsrdiff.cubes.catalog import FORMATS, open_cube, write_cube
from hsrdiff.cubes.cube import as_cube, check_cube
from hsrdiff.cubes.formats import CreationOptions, CubeFormat
from hsrdiff.cubes.stored import NUMBER_TYPES, as_stored, check_number_type, packed_as

__all__ = [
    "FORMATS",
    "NUMBER_TYPES",
    "CreationOptions",
    "CubeFormat",
    "as_cube",
    "as_stored",
    "check_cube",
    "check_number_type",
    "open_cube",
    "packed_as",
    "write_cube",
]
