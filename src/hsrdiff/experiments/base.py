"""What an experiment is: trials that give one row each, and the report made of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from hsrdiff.evaluation import Row, evaluate_fuser
from hsrdiff.experiments.table_lines import TableLine
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.networks import shipped_digest
from hsrdiff.observation import Scene
from hsrdiff.rng import generator
from hsrdiff.typing import PathLike

Labels = tuple[str, ...]
LR_PIXELS = "LR pixels"  # topic of a note: how many of them are valid


def _always(row: Row) -> bool:
    return True


@dataclass(frozen=True)
class Trial:
    """One row to compute.

    Attributes:
        labels: What the row is about, such as scene, condition and method; unique in its experiment.
        content: Returns a digest of what the row is computed from, so that a kept row is used for nothing else.
        run: Computes the row.
        whole: Tells of a kept row whether what goes with it, such as an image, is still there.
        kept_as: What the row is kept under beside its labels, so that experiments with a line in common compute it
            once; the experiment's name when empty.
    """

    labels: Labels
    content: Callable[[], str]
    run: Callable[[], Row]
    whole: Callable[[Row], bool] = _always
    kept_as: str = ""


Rows = Mapping[Labels, Row]


class Experiment(Protocol):
    """A set of trials and what is said about them.

    Attributes:
        name: Name in the catalog.
        summary: One line for a list.
    """

    name: str
    summary: str

    def report(self, rows: Rows) -> str:
        """Return the tables.

        Args:
            rows: The row of every trial by its labels.

        Returns:
            Markdown without a title, ending in a newline.
        """


@runtime_checkable
class FusionExperiment(Experiment, Protocol):
    """An experiment with what the package holds."""

    def trials(self, data: PathLike | None, seed: int) -> Iterator[Trial]:
        """Return the trials in the order to run them, scenes loaded when they are needed.

        Args:
            data: Folder of the data sets; HSRDIFF_DATA when None.
            seed: Decides noise, masks and what a method draws.

        Yields:
            Trials.

        Raises:
            DatasetNotFoundError: If a scene's files are not there.
        """


@runtime_checkable
class TrainingExperiment(Experiment, Protocol):
    """An experiment that trains weights before it fuses with them.

    Attributes:
        takes: What the user may choose of it, of "dataset" and "budget".
    """

    takes: frozenset[str]

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Return the trials in the order to run them, weights trained when they are needed.

        Args:
            data: Folder of the data sets; HSRDIFF_DATA when None.
            seed: Decides noise, masks and what a method draws.
            workshop: Where weights are trained and kept.

        Yields:
            Trials.

        Raises:
            DatasetNotFoundError: If a scene's files are not there.
        """


@runtime_checkable
class TableExperiment(Experiment, Protocol):
    """An experiment that makes a table of the paper."""

    def lines(self, rows: Rows) -> Sequence[TableLine]:
        """Return the lines of the table, ours and the paper's.

        Args:
            rows: The row of every trial by its labels.

        Returns:
            The lines, in order.
        """


@runtime_checkable
class DrawingExperiment(TrainingExperiment, Protocol):
    """An experiment whose report has a figure."""

    def draw(self, rows: Rows, folder: Path) -> Path:
        """Draw the figure.

        Args:
            rows: The row of every trial by its labels.
            folder: The experiment's folder.

        Returns:
            The file written.
        """


def fusion_trials(
    labels: Labels,
    make_scene: Callable[[], Scene],
    fusers: Mapping[str, Callable[[], Fuser]],
    seed: int,
    *,
    paired: bool = False,
    made_of: Mapping[str, str] | None = None,
    keep: Callable[[str, Fusion, Scene], Mapping[str, str] | None] | None = None,
    kept: Callable[[str, Row], bool] | None = None,
    digests: dict[Labels, str] | None = None,
) -> Iterator[Trial]:
    """Return a trial for each method on one scene, which is made once, when the first of them needs it.

    Args:
        labels: What the scene is; the method's name is added behind.
        make_scene: Makes the scene, with its truth.
        fusers: Name for tables -> makes the method.
        seed: Keys what a method draws.
        paired: Whether all methods draw the same, so that one that builds on another meets the same base.
        made_of: For methods with weights of their own, a digest of those.
        keep: Called with each method's name, its result and the scene, to keep what is to be drawn; the notes that it
            returns are added to the row's.
        kept: Tells by a method's name and its kept row whether that is still there.
        digests: Of scenes by their labels, shared by calls with the same scenes, so that rows which are there already
            are found without making their scene once for each method.

    Yields:
        Trials whose rows bear the labels as their scene.
    """
    scene = cache(make_scene)
    known = {} if digests is None else digests

    def digest() -> str:
        if labels not in known:
            known[labels] = scene_digest(scene())
        return known[labels]

    for method, make in fusers.items():

        def run(method: str = method, make: Callable[[], Fuser] = make) -> Row:
            keys = labels if paired else (method, *labels)
            row, fusion = evaluate_fuser(make(), scene(), generator=generator(seed, "fuse", *keys))
            given = scene()
            told = None if keep is None else keep(method, fusion, given)
            valid = given.Y[0, 0].numel() if given.valid_lr is None else int(given.valid_lr.sum())
            notes = row.notes | {LR_PIXELS: str(valid)} | dict(told or {})
            return replace(row, method=method, scene=", ".join(labels), notes=notes)

        def content(method: str = method, make: Callable[[], Fuser] = make) -> str:
            if made_of is not None and method in made_of:
                return digest() + made_of[method]
            return digest() + (shipped_digest() if make().needs.weights else "")

        whole = partial(kept, method) if kept is not None else _always
        yield Trial((*labels, method), content, run, whole)


def scene_digest(scene: Scene) -> str:
    """Hash what a method is given and what it is compared with.

    Args:
        scene: The scene.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(f"{scene.sigma_x} {scene.sigma_y}".encode())
    for image in (scene.X, scene.Y, scene.Z, scene.valid, scene.valid_lr):
        if image is not None:
            digest.update(image.contiguous().numpy().tobytes())
    if scene.observation is not None:
        for matrix in (scene.observation.spectral.matrix, scene.observation.spatial.kernel):
            digest.update(torch.round(matrix, decimals=9).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def markdown_table(titles: Sequence[str], lines: Sequence[Sequence[str]], left: int = 1) -> str:
    """Lay out a Markdown table.

    Args:
        titles: Titles of the columns.
        lines: Cells of each line.
        left: How many columns hold text and are set to the left; the rest are numbers.

    Returns:
        Text ending in a newline.
    """
    rule = ["---" if i < left else "---:" for i in range(len(titles))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (titles, rule, *lines))
