"""What a fusion method is: one protocol for HSR-Diff and everything it is compared with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch

from hsrdiff.errors import InputError
from hsrdiff.observation import Observation, Scene
from hsrdiff.typing import HRHSI


@dataclass(frozen=True)
class Needs:
    """What a method must be told beside X and Y; tables print it so that a comparison is honest.

    Attributes:
        response: R, the spectral response.
        psf: D, blur and decimation.
        weights: Weights learnt from other scenes.
        tuning: Parameters chosen on the scene itself.
    """

    response: bool = False
    psf: bool = False
    weights: bool = False
    tuning: bool = False

    def __str__(self) -> str:
        told = [
            ("R", self.response),
            ("D", self.psf),
            ("training data", self.weights),
            ("tuning on the scene", self.tuning),
        ]
        return ", ".join(name for name, needed in told if needed) or "nothing"


@dataclass(frozen=True)
class Fusion:
    """What a method returns.

    Attributes:
        Z_hat: Estimate of the HR-HSI, shape (1, B, H, W), in the units of Y; NaN where X or Y is invalid.
        std: Standard deviation to expect of the errors, or that of several samples; same shape and units, or None where
            the method gives none.
        notes: What the user should know about this result, by topic.
    """

    Z_hat: HRHSI
    std: torch.Tensor | None = None
    notes: dict[str, str] = field(default_factory=dict)


class Fuser(Protocol):
    """A fusion method.

    Attributes:
        name: Name in the catalog.
        needs: What it must be told.
    """

    @property
    def name(self) -> str:
        """Name in the catalog."""

    @property
    def needs(self) -> Needs:
        """What it must be told."""

    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Estimate Z from X and Y; never look at ``scene.Z``, leave every input unchanged.

        Args:
            scene: X, Y, their masks and, if `needs` says so, the observation.
            generator: Source of all randomness; the same state gives the same result.

        Returns:
            The estimate on the grid of X.

        Raises:
            InputError: If the scene does not fit together or lacks what the method needs.
        """


@dataclass(frozen=True)
class FuserEntry:
    """One line of the catalog.

    Attributes:
        make: The class; its constructor's keyword arguments are the method's options.
        summary: One line for a list.
        citation: Who published the method.
        std: Whether it gives a standard deviation where its option ``std`` asks for one.
    """

    make: Callable[..., Fuser]
    summary: str
    citation: str
    std: bool = False

    @property
    def options(self) -> Mapping[str, inspect.Parameter]:
        """The keyword arguments that `make` takes, by name."""
        return inspect.signature(self.make).parameters


def require_observation(scene: Scene, fuser: str) -> Observation:
    """Return the scene's observation.

    Args:
        scene: The scene to fuse.
        fuser: Name of the method, for the message.

    Returns:
        R and D.

    Raises:
        InputError: If the scene has none.
    """
    if scene.observation is None:
        raise InputError(
            f"the scene has no observation model, which '{fuser}' needs",
            expected="the sensor of the multispectral image and the point spread function",
            do="name them, or use a method that needs neither, such as bicubic",
        )
    return scene.observation
