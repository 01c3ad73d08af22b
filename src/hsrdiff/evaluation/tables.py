"""Rows as Markdown, CSV and JSON text."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields

from hsrdiff.evaluation.published import PublishedRow
from hsrdiff.evaluation.rows import Row


def to_markdown(rows: Sequence[Row], published: Sequence[PublishedRow] = ()) -> str:
    """Write rows as a Markdown table, the published rows below ours, the convention under it.

    Args:
        rows: Ours, in the order to show.
        published: Rows of the paper for the same data set.

    Returns:
        Text ending in a newline; cells that are not known are empty.
    """
    lines = [
        "| method | scene | PSNR dB | SSIM | SAM ° | ERGAS | RMSE | s | told |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {row.method} | {row.scene} | {_cell(row.psnr_db, 2)} | {_cell(row.ssim, 4)} | {_cell(row.sam_deg, 2)} "
        f"| {_cell(row.ergas, 3)} | {_cell(row.rmse, 4)} | {_cell(row.seconds, 1)} | {row.told} |"
        for row in rows
    ]
    lines += [
        f"| {row.method} | {row.source} | {_cell(row.psnr_db, 2)} | {_cell(row.ssim, 4)} | {_cell(row.sam_deg, 2)} "
        f"| {_cell(row.ergas, 3)} |  |  |  |"
        for row in published
    ]
    for convention in dict.fromkeys(row.convention for row in rows if row.convention):
        # the smallest share, rounded down: 100 % means every pixel of every scene
        share = min(row.valid_share for row in rows if row.convention == convention)
        lines += ["", f"{convention}; {math.floor(1000 * share) / 10:g} % of pixels valid"]
    return "\n".join(lines) + "\n"


def to_csv(rows: Sequence[Row]) -> str:
    """Write rows as CSV with a header and full precision.

    Args:
        rows: The rows.

    Returns:
        Text, lines ending in a newline; notes as ``topic: text`` joined by semicolons.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [f.name for f in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        notes = "; ".join(f"{topic}: {text}" for topic, text in row.notes.items())
        writer.writerow({**asdict(row), "notes": notes})
    return buffer.getvalue()


def to_json(rows: Sequence[Row]) -> str:
    """Write rows as a JSON list of objects.

    Args:
        rows: The rows.

    Returns:
        Text ending in a newline; a number that is not finite becomes null, as JSON has none.
    """
    plain = [{key: _finite(value) for key, value in asdict(row).items()} for row in rows]
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
