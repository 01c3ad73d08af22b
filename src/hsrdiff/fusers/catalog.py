"""Every fusion method by name: the one table to add a line to."""

from __future__ import annotations

import inspect

from hsrdiff.errors import HsrdiffError, InputError, did_you_mean
from hsrdiff.fusers.base import Fuser, FuserEntry
from hsrdiff.fusers.bicubic import Bicubic
from hsrdiff.fusers.classical import HySure, UalDmi, UtvTd
from hsrdiff.fusers.hsr_diff import HsrDiff
from hsrdiff.fusers.kriging import Kriging, KrigingLearned, KrigingPoint
from hsrdiff.fusers.learned import (
    BRResNetFuser,
    CMHFNetFuser,
    FusformerFuser,
    RegressionCDFormerFuser,
    UALFuser,
)
from hsrdiff.fusers.regression import Regression
from hsrdiff.fusers.regression_projected import RegressionProjected
from hsrdiff.fusers.residual import HsrDiffResidual
from hsrdiff.networks.competitors import COMPETITORS
from hsrdiff.typing import PathLike


def make_ual_dmi(
    *,
    deep: str | None = None,
    weights: PathLike | None = None,
    steps: int | None = None,
    mu: float = 5e-2,
    nu: float = 5e-3,
    rho: float = 1e-3,
    iterations: int = 20,
) -> UalDmi:
    """Build `UalDmi` on another method of the catalog.

    Args:
        deep: The name in `FUSERS` of the method whose result is refined; UAL, as published, where weights are given,
            else the regression, which needs none.
        weights: Its weights, where it takes some.
        steps: Its steps, where it takes some; its own default when None.
        mu: As `UalDmi` takes it.
        nu: Likewise.
        rho: Likewise.
        iterations: Likewise.

    Returns:
        The method.

    Raises:
        InputError: If the name is unknown, or an option is out of range.
        HsrdiffError: Whatever the other method's constructor says.
    """
    given = {name: value for name, value in (("weights", weights), ("steps", steps)) if value is not None}
    base = make_fuser(deep or ("regression" if weights is None else "ual"), **given)
    return UalDmi(base, mu=mu, nu=nu, rho=rho, iterations=iterations)


FUSERS: dict[str, FuserEntry] = {
    Bicubic.name: FuserEntry(
        Bicubic,
        "bicubic upsampling of the hyperspectral image, the guide unused",
        "Keys, Cubic convolution interpolation for digital image processing, IEEE TASSP 1981",
    ),
    Regression.name: FuserEntry(
        Regression,
        "spectral regression learnt on the coarse grid, its residual added at the fine one",
        "Selva et al., Hyper-sharpening: a first approach on SIM-GA data, IEEE JSTARS 2015",
    ),
    RegressionProjected.name: FuserEntry(
        RegressionProjected,
        "spectral regression, then exact consistency with both images",
        "Selva et al., IEEE JSTARS 2015; Wei, Dobigeon and Tourneret, IEEE TIP 2015",
    ),
    Kriging.name: FuserEntry(
        Kriging,
        "area-to-point spectral kriging from the scene's own spectra, then exact consistency",
        "Kyriakidis, A geostatistical framework for area-to-point spatial interpolation, Geographical Analysis 2004",
        std=True,
    ),
    KrigingLearned.name: FuserEntry(
        KrigingLearned,
        "kriging with a kernel learned over many scenes and sensors, for any bands",
        "Wilson et al., Deep kernel learning, AISTATS 2016; Kyriakidis, Geographical Analysis 2004",
        std=True,
    ),
    KrigingPoint.name: FuserEntry(
        KrigingPoint,
        "spectral kriging that takes low-resolution pixels for points, for small scenes",
        "Rasmussen and Williams, Gaussian processes for machine learning, MIT Press 2006, chapter 2",
        std=True,
    ),
    UtvTd.name: FuserEntry(
        UtvTd,
        "Tucker decomposition with unidirectional total variation",
        "Xu et al., UTV-TD, IEEE JSTARS 2020",
    ),
    HySure.name: FuserEntry(
        HySure,
        "a spectral subspace and vector total variation",
        "Simoes, Bioucas-Dias, Almeida and Chanussot, IEEE TGRS 2015",
    ),
    UalDmi.name: FuserEntry(
        make_ual_dmi,
        "another method's result refined in closed form by its gradients and both images",
        "Wang, Chen and Richard, UAL-DMI, ICASSP 2022",
    ),
    HsrDiff.name: FuserEntry(
        HsrDiff,
        "conditional diffusion with CDFormer, the paper's mode",
        "Wu, Wang, Bai, Mao, Li and Shen, HSR-Diff, ICCV 2023",
    ),
    HsrDiffResidual.name: FuserEntry(
        HsrDiffResidual,
        "conditional diffusion of what kriging leaves, in few steps",
        "Wu, Wang, Bai, Mao, Li and Shen, HSR-Diff, ICCV 2023; Mardani et al., CorrDiff, 2023",
        std=True,
    ),
    RegressionCDFormerFuser.name: FuserEntry(
        RegressionCDFormerFuser,
        "CDFormer in one pass, without diffusion: the paper's ablation",
        "Wu, Wang, Bai, Mao, Li and Shen, HSR-Diff, ICCV 2023, section 4.5",
    ),
    UALFuser.name: FuserEntry(
        UALFuser,
        "three branches that exchange features, then an adaptor fitted to the pair",
        COMPETITORS[UALFuser.name].citation,
    ),
    BRResNetFuser.name: FuserEntry(
        BRResNetFuser,
        "a residual network of bilateral activations",
        COMPETITORS[BRResNetFuser.name].citation,
    ),
    CMHFNetFuser.name: FuserEntry(
        CMHFNetFuser,
        "unrolled proximal gradient steps with learned networks",
        COMPETITORS[CMHFNetFuser.name].citation,
    ),
    FusformerFuser.name: FuserEntry(
        FusformerFuser,
        "full attention over the pixels of each patch",
        COMPETITORS[FusformerFuser.name].citation,
    ),
}


def make_fuser(name: str, **options: object) -> Fuser:
    """Build a method of the catalog.

    Args:
        name: A name in `FUSERS`.
        **options: The keyword arguments of the method's constructor.

    Returns:
        The method.

    Raises:
        InputError: If the name or an option is unknown, a needed option is missing, or a value cannot be used.
        HsrdiffError: Whatever the method's constructor says about a value.
    """
    if name not in FUSERS:
        raise InputError(f"unknown method '{name}'", do=did_you_mean(name, FUSERS))
    make = FUSERS[name].make
    known = FUSERS[name].options
    for option in options:
        if option not in known:
            raise InputError(
                f"the method '{name}' has no option '{option}'",
                do=did_you_mean(option, known) if known else "leave it out: the method has no options",
            )
    for option, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and option not in options:
            raise InputError(
                f"the method '{name}' needs the option '{option}'",
                do=f"give {option}, on the command line of benchmark with --set {name}.{option}=VALUE",
            )
    try:
        return make(**options)
    except HsrdiffError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # such as a word for a number, or a device unknown to torch
        given = ", ".join(f"{option}={value!r}" for option, value in options.items() if not callable(value))
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"the method '{name}' cannot be built with {given} ({reason})",
            expected="values of the kind that its options take",
            do="change or leave out the option that does not fit",
        ) from error
