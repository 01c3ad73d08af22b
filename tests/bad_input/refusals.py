"""Commands that must fail: one sentence, exit code 2, nothing left behind."""

from typer.testing import CliRunner

from hsrdiff.cli.app import app

BANDS, MSI_BANDS = 8, 4
SENSOR = "sentinel2:B2,B3,B4,B8"


def listing(folder):
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*")}


def refuses(folder, *arguments):
    """Run a command that must fail; return its sentence."""
    before = listing(folder)
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 2, (done.exit_code, done.output, done.exception)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    sentence = lines[0]
    assert sentence.startswith("hsrdiff: ")
    assert sentence.endswith(".")
    assert "Traceback" not in done.output
    assert "; " in sentence, f"only what was found, neither what was expected nor what to do: {sentence}"
    assert done.stdout == ""
    assert listing(folder) == before, "something was left behind"
    return sentence


def fuse(folder, *options, hsi="hsi.tif", msi="msi.tif", out="fused.tif"):
    return refuses(folder, "fuse", hsi, msi, "-o", out, *options)
