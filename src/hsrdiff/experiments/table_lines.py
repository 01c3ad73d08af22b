"""The lines of a table of the paper, ours and the published ones side by side, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from hsrdiff.evaluation import PublishedRow, Row

_SCORES = ("psnr_db", "ssim", "sam_deg", "ergas")
MINUTES_TITLE = "CPU min of training"
TRAINING = "training, processor minutes"  # topic of a note
_TITLES = (
    *("dataset", "factor", "psf", "method", "seeds", *_SCORES, "psnr_db_spread", "seconds", "training_minutes", "told"),
    *(f"paper_{score}" for score in _SCORES),
    "paper_source",
)


@dataclass(frozen=True)
class TableLine:
    """One line.

    Attributes:
        dataset: Name of the data set.
        psf: Its PSF in words.
        title: What the table calls the method.
        mean: Means over the scenes, and over seeds where there are several.
        published: The paper's line, where it has one.
        seeds: Trainings that the mean is over.
        spread: Standard deviation of the PSNR over seeds in dB, where there are several.
        minutes: Processor minutes of a training, the mean over seeds; None without one.
    """

    dataset: str
    psf: str
    title: str
    mean: Row
    published: PublishedRow | None = None
    seeds: int = 1
    spread: float | None = None
    minutes: float | None = None


def lines_csv(lines: Sequence[TableLine]) -> str:
    """Write lines as CSV with a header and full precision.

    Args:
        lines: The lines.

    Returns:
        Text, lines ending in a newline; a cell without a value is empty.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_TITLES)
    for line in lines:
        paper = line.published
        theirs = [None] * (len(_SCORES) + 1) if paper is None else [*_scores(paper), paper.source]
        writer.writerow(
            [
                *(line.dataset, line.mean.factor, line.psf, line.title, line.seeds, *_scores(line.mean)),
                *(line.spread, line.mean.seconds, line.minutes, line.mean.told, *theirs),
            ]
        )
    return buffer.getvalue()


def mean_minutes(rows: Sequence[Row]) -> float | None:
    """Return the processor minutes of a training, by the notes of the rows.

    Args:
        rows: Rows of one line.

    Returns:
        The mean over the rows that say so; None where none does.
    """
    minutes = [float(row.notes[TRAINING]) for row in rows if TRAINING in row.notes]
    return fmean(minutes) if minutes else None


def minutes_cell(line: TableLine) -> str:
    """Return the minutes in a cell.

    Args:
        line: A line.

    Returns:
        The cell, empty where nothing was trained for the table.
    """
    return "" if line.minutes is None else f"{line.minutes:.0f}"


def published_cell(row: PublishedRow | None) -> str:
    """Return PSNR, SSIM, SAM and ERGAS in one cell.

    Args:
        row: A published row, if there is one.

    Returns:
        The cell, empty without a row.
    """
    if row is None:
        return ""
    return f"{row.psnr_db:.2f} / {row.ssim:.4f} / {row.sam_deg:.2f} / {row.ergas:.3f}"


def _scores(row: Row | PublishedRow) -> list[float]:
    return [getattr(row, score) for score in _SCORES]
