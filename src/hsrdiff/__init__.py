"""hsrdiff: fuse a hyperspectral and a multispectral image into one with many bands and fine pixels.

The public functions and the packages load their modules when first used, so that ``import hsrdiff`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hsrdiff._version import __version__

if TYPE_CHECKING:
    from hsrdiff.cubes import open_cube, write_cube
    from hsrdiff.experiments import reproduce
    from hsrdiff.jobs.benchmark import benchmark
    from hsrdiff.jobs.check import check
    from hsrdiff.jobs.demo import demo
    from hsrdiff.jobs.evaluate import evaluate
    from hsrdiff.jobs.fuse import fuse
    from hsrdiff.jobs.info import info
    from hsrdiff.jobs.quality import quality
    from hsrdiff.jobs.simulate import simulate
    from hsrdiff.jobs.train import train

_PUBLIC = {
    "open_cube": "hsrdiff.cubes",
    "write_cube": "hsrdiff.cubes",
    "benchmark": "hsrdiff.jobs.benchmark",
    "check": "hsrdiff.jobs.check",
    "demo": "hsrdiff.jobs.demo",
    "evaluate": "hsrdiff.jobs.evaluate",
    "fuse": "hsrdiff.jobs.fuse",
    "info": "hsrdiff.jobs.info",
    "quality": "hsrdiff.jobs.quality",
    "reproduce": "hsrdiff.experiments",
    "simulate": "hsrdiff.jobs.simulate",
    "train": "hsrdiff.jobs.train",
}

_PACKAGES = (
    "choice",
    "cubes",
    "datasets",
    "diffusion",
    "errors",
    "evaluation",
    "experiments",
    "fusers",
    "jobs",
    "metrics",
    "networks",
    "observation",
    "report",
    "sensors",
    "training",
)

__all__ = [
    "__version__",
    "benchmark",
    "check",
    "demo",
    "evaluate",
    "fuse",
    "info",
    "open_cube",
    "quality",
    "reproduce",
    "simulate",
    "train",
    "write_cube",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _PACKAGES:
        return importlib.import_module(f"hsrdiff.{name}")
    raise AttributeError(f"module 'hsrdiff' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
