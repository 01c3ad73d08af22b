"""Prepared pairs: what the network reads of a simulated pair, and what it is to find, kept on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file

from hsrdiff.datasets import make_dataset
from hsrdiff.errors import RecipeError, did_you_mean
from hsrdiff.fusers.masking import fill_invalid
from hsrdiff.fusers.residual import Coordinates, Evidence, condition
from hsrdiff.fusers.residual.diffused import image_ratio
from hsrdiff.networks.store import save_tensors
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse, add_noise
from hsrdiff.rng import generator
from hsrdiff.training.kriging.problem import check_side, random_guide
from hsrdiff.training.residual.loss_root import loss_root
from hsrdiff.training.residual.mixtures import mixed
from hsrdiff.training.residual.recipe import ResidualData, ResidualRecipe
from hsrdiff.training.residual.tint import tint
from hsrdiff.typing import PathLike

_TINTED = 2  # first variant under another light
_SIGMAS = (0.3, 0.6)  # of a random PSF, in LR pixels
_FLOAT16 = 6e4  # near the largest


@dataclass(frozen=True)
class PairPlan:
    """One pair to make.

    Attributes:
        section: The family.
        scene: Name of the scene.
        factor: H / h.
        variant: 0 for the whole scene.
        repeat: How many sections before this one make pairs of the same data set at that factor.
    """

    section: ResidualData
    scene: str
    factor: int
    variant: int
    repeat: int = 0

    @property
    def title(self) -> str:
        """Name of the pair."""
        return f"{self.section.dataset}/{self.scene} x{self.factor} ({', '.join([str(self.variant), *self._apart])})"

    @property
    def file_name(self) -> str:
        """Name of the file it is kept in."""
        which = "-".join([str(self.variant), *(words.replace(" ", "-") for words in self._apart)])
        return f"{self.section.dataset}-{self.scene}-x{self.factor}-{which}.safetensors".replace("/", "-")

    @property
    def keys(self) -> tuple[str | int, ...]:
        """What its random draws are keyed by."""
        repeat = (f"section {self.repeat + 1}",) if self.repeat else ()
        return (self.section.dataset, self.scene, self.factor, self.variant, *repeat)

    @property
    def _apart(self) -> list[str]:
        """What tells it from pairs of other sections."""
        made = [f"{self.section.materials} materials"] if self.section.materials else []
        return [*made, *([f"section {self.repeat + 1}"] if self.repeat else [])]


@dataclass(frozen=True)
class PreparedPair:
    """What a training patch is cut from.

    Attributes:
        channels: The condition, shape (K, H, W), float16.
        optics: Slopes and Laplacians, shape (2 B, H, W) or (0, H, W), float16.
        target: Coordinates of Z - base in units of the scale, shape (r, H, W), float16.
        root: L^T of the loss: ``|L^T e|^2`` is the mean over bands of the squared error over the base's, (r, r).
        share: Of the patches.
        ratio: One unit of the target in units of the image, in each coordinate, shape (r, 1, 1); only where the
            coordinates hold the whole image.
    """

    channels: torch.Tensor
    optics: torch.Tensor
    target: torch.Tensor
    root: torch.Tensor
    share: float
    ratio: torch.Tensor = field(default_factory=lambda: torch.empty(0))


def plan_pairs(recipe: ResidualRecipe, data: PathLike | None = None) -> list[PairPlan]:
    """List the pairs of a recipe.

    Args:
        recipe: The recipe.
        data: Folder of the data, in place of HSRDIFF_DATA.

    Returns:
        The plans.

    Raises:
        RecipeError: If a split is empty or a scene unknown.
        DatasetNotFoundError: If the files are missing.
    """
    plans: list[PairPlan] = []
    made: Counter[tuple[str, int, int]] = Counter()  # sections that make pairs of a data set, factor and materials
    for section in recipe.data:
        dataset = make_dataset(section.dataset, data=data)
        known = dataset.scenes(section.split)
        if not known:
            raise RecipeError(
                f"{section.dataset}'s split '{section.split}' has no scenes",
                expected="a split that has some",
                do="change its data.split",
            )
        for name in section.scenes:
            if name not in known:
                raise RecipeError(
                    f"'{name}' is not a scene of {section.dataset}'s split '{section.split}'",
                    do=did_you_mean(name, known),
                )
        for name in section.scenes or known:
            for factor in section.factors:
                repeat = made[section.dataset, factor, section.materials]
                plans.extend(PairPlan(section, name, factor, k, repeat) for k in range(section.variants))
        made.update((section.dataset, factor, section.materials) for factor in set(section.factors))
    return plans


def make_scene(plan: PairPlan, seed: int, data: PathLike | None = None) -> tuple[Scene, tuple[float, float]]:
    """Simulate a pair, a function of the plan and the seed alone.

    Args:
        plan: Which.
        seed: Decides guide and place.
        data: Folder of the data.

    Returns:
        The scene with its truth, and the middle of the whole image in its rows and columns.

    Raises:
        RecipeError: If the scene is too small for the factor, or holds no data.
    """
    own = plan.section.own_guide
    dataset = make_dataset(plan.section.dataset, data=data, factor=plan.factor)
    cube = dataset.load(plan.scene)
    Z = torch.from_numpy(np.ascontiguousarray(cube.values, dtype=np.float32))[None]
    valid = torch.isfinite(Z).all(dim=1, keepdim=True)
    if not valid.any():
        raise RecipeError(
            f"the scene '{plan.scene}' of {plan.section.dataset} has no pixel that is valid in all bands",
            expected="at least one",
            do="leave that scene out: name the others in data.scenes",
        )
    Z = fill_invalid(Z, valid)
    draw = generator(seed, "pair", *plan.keys)
    s = plan.factor
    # the first variant lies on the scene's own coarse grid, the others anywhere
    whole = (Z.shape[-2], Z.shape[-1])
    if plan.section.side is None:
        top, left = (below(draw, s) if plan.variant else 0 for _ in range(2))
        height, width = (whole[0] - top) // s * s, (whole[1] - left) // s * s
    else:
        height, width = (min(plan.section.side, side) // s * s for side in whole)
        grid = 1 if plan.variant else s
        top = below(draw, (whole[0] - height) // grid + 1) * grid
        left = below(draw, (whole[1] - width) // grid + 1) * grid
    if not check_side(s, (height, width)):
        raise RecipeError(
            f"the scene '{plan.scene}' of {Z.shape[-2]} x {Z.shape[-1]} pixels at factor {s}",
            expected="at least 64 low-resolution pixels",
            do="leave that factor out for this data set",
        )
    Z = Z[..., top : top + height, left : left + width].contiguous()
    if plan.variant >= _TINTED and plan.section.tint:
        Z = Z * tint(Z.shape[1], plan.section.tint, draw).to(Z)[:, None, None]
    if plan.section.materials:
        Z = mixed(Z, plan.section.materials, generator(seed, "mixture", *plan.keys))
    observation = dataset.observation(cube["wavelength"].values if "wavelength" in cube.coords else None)
    if not own:
        spectral = SpectralResponse(random_guide(Z.shape[1], draw).double())
        spatial = observation.spatial
        if plan.variant:
            low, high = _SIGMAS
            sigma = s * (low + (high - low) * float(torch.rand((), generator=draw)))
            spatial = SpatialResponse.gaussian(s, sigma=sigma)
        observation = Observation(spectral, spatial)
    X, Y = observation.observe(Z)
    sigma_x = sigma_y = 0.0
    if plan.variant and plan.section.snr_db:
        low, high = plan.section.snr_db
        noise = generator(seed, "noise", *plan.keys)
        snr_x, snr_y = (low + (high - low) * float(torch.rand((), generator=noise)) for _ in range(2))
        X, sigma_x = add_noise(X, snr_x, noise)
        Y, sigma_y = add_noise(Y, snr_y, noise)
    axis = ((whole[0] - 1) / 2 - top, (whole[1] - 1) / 2 - left)
    scene = Scene(X=X, Y=Y, Z=Z, observation=observation, sigma_x=sigma_x, sigma_y=sigma_y, name=plan.title)
    return scene, axis


def prepare_pairs(
    plans: Sequence[PairPlan],
    folder: Path,
    gather: Callable[..., Evidence],
    make: Callable[[PairPlan], tuple[Scene, tuple[float, float]]],
    coordinates: Coordinates | None,
    count: int,
    seed: int,
    on_pair: Callable[[int], None] | None = None,
    *,
    whole: bool = False,
    image: bool = False,
) -> list[PreparedPair]:
    """Krige every pair, or read what an earlier run kept.

    Args:
        plans: The pairs.
        folder: Where they are kept, one file each.
        gather: Makes the evidence of a scene; takes what `Evidence.of` takes behind its base.
        make: Makes a scene, and where its optical axis lies.
        coordinates: Those of the pair of sensors; None for those of each scene.
        count: r.
        seed: Keys what the base draws.
        on_pair: Called with the number of pairs done.
        whole: Whether the target is all that the base leaves, with what Y has already said.
        image: Whether the coordinates hold the whole image, so that it may be diffused.

    Returns:
        The pairs, in order.
    """
    pairs = []
    for i, plan in enumerate(plans):
        file = folder / plan.file_name
        tensors = _kept(file)
        if tensors is None:
            scene, axis = make(plan)
            assert scene.Z is not None
            assert scene.observation is not None
            keyed = generator(seed, "base", plan.title)
            evidence = gather(scene, generator=keyed, axis=axis, register=coordinates is None)
            used = coordinates or Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, count)
            own = coordinates is not None
            given = condition(evidence, used, spectrum=own, noise=not own)
            missing = scene.Z - evidence.base
            unit = given.scale or 1.0
            target = used.apply(missing)
            tensors = {
                "channels": given.channels[0].half().contiguous(),
                "optics": given.optics[0].clamp(-_FLOAT16, _FLOAT16).half().contiguous(),
                "target": ((target if whole else evidence.unseen(target)) / unit)[0].half().contiguous(),
                "root": loss_root(used, missing, unit),
            }
            if image:
                tensors["ratio"] = image_ratio(evidence, used, given.scale).float().contiguous()
            save_tensors(file, tensors, {})
            tensors = load_file(str(file))  # so that the file holds them, which is mapped, and not this process
        pairs.append(PreparedPair(**tensors, share=plan.section.share))
        if on_pair is not None:
            on_pair(i + 1)
    return pairs


def below(draw: torch.Generator, count: int) -> int:
    """Draw a whole number from 0 to count - 1."""
    return int(torch.randint(count, (), generator=draw))


def _kept(file: Path) -> dict[str, torch.Tensor] | None:
    try:
        return load_file(str(file))
    except (OSError, safetensors.SafetensorError):
        return None
