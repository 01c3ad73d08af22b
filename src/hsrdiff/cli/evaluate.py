"""`hsrdiff evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = "Score a fused cube against the truth, with the convention of every number."
EXAMPLE = "Example: hsrdiff evaluate fused.tif truth.tif --json scores.json"


def command(
    fused: Annotated[str, typer.Argument(metavar="FUSED", help="The fused cube.")],
    truth: Annotated[str, typer.Argument(metavar="TRUTH", help="The true cube.")],
    factor: Annotated[
        int | None,
        typer.Option("--factor", help="Ratio of the pixel sizes, for ERGAS; what FUSED remembers when left out."),
    ] = None,
    mask: Annotated[
        str | None, typer.Option("--mask", metavar="FILE", help="Image of one band, not 0 where a pixel counts.")
    ] = None,
    peak: Annotated[
        float | None, typer.Option("--peak", help="Full scale of the data; the truth's largest value when left out.")
    ] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE", help="JSON file for the scores.")] = None,
) -> None:
    """Parse, call `hsrdiff.jobs.evaluate`, print."""
    from hsrdiff.cli.screen import console, facts, number
    from hsrdiff.jobs.evaluate import evaluate

    scores = evaluate(fused, truth, factor=factor, mask=mask, peak=peak, json_out=json)
    screen = console()
    rows = [
        ("PSNR", f"{number(scores.psnr_db, 2)} dB"),
        ("SSIM", number(scores.ssim, 4)),
        ("SAM", f"{number(scores.sam_deg, 3)}°"),
        ("ERGAS", number(scores.ergas, 3)),
        ("RMSE", f"{number(scores.rmse, 5)} of the peak"),
    ]
    screen.print(facts(rows))
    screen.print(scores.convention, style="dim", markup=False)
    for remark in scores.remarks:
        screen.print(remark, style="dim", markup=False)
