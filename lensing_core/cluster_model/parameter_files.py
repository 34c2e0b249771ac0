"""Best-fit files of Lenstool and glafic, as a lens: those of their profiles that are known here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from lensing_core.cluster_model.mass import Profiles
from lensing_core.cluster_model.planes import LensPlane, cosmology_of
from lensing_core.cluster_model.profiles import (
    LENSTOOL_SIGMA,
    SIS_ARCSEC,
    Pair,
    nfw_deflection,
    nfw_scales,
    shear_deflection,
)
from lensing_core.cluster_model.tables import beside
from lensing_core.errors import BadInputError

_AT_ONCE = 100_000
_DPIE, _PIEMD, _SIS, _SHEAR = 81, 8, 1, 14
Rows = list[tuple[float, ...]]


@dataclass
class Components:
    """Profiles of a file, for D_ls / D_s = 1; lengths in arcsec, directions in radians.

    Attributes
    ----------
    dpie : list
        x, y, axis ratio, direction, b, core, cut.
    nfw : list
        x, y, axis ratio, direction, κ_s, r_s.
    shear : list
        x, y, γ_1, γ_2, κ.
    """

    dpie: Rows = field(default_factory=list)
    nfw: Rows = field(default_factory=list)
    shear: Rows = field(default_factory=list)


class ComponentLens:
    """The sum of the profiles of a file."""

    def __init__(self, plane: LensPlane, components: Components) -> None:
        self.plane, self.components = plane, components
        columns = torch.tensor(components.dpie, dtype=torch.float64).reshape(-1, 7).T
        self._profiles = Profiles(*columns[:4])
        self._sizes = [column[None] for column in columns[4:]]
        self._nfw = torch.tensor(components.nfw, dtype=torch.float64).reshape(-1, 6)
        self._shear = torch.tensor(components.shear, dtype=torch.float64).reshape(-1, 5)

    def deflection(self, x: Tensor, y: Tensor) -> Pair:
        """Deflection (arcsec) at places of any shape, computed piece by piece."""
        size = max(1, _AT_ONCE // (len(self.components.dpie) + 32 * len(self._nfw) + 1))
        pieces = [
            self._at(*piece)
            for piece in zip(x.reshape(-1).split(size), y.reshape(-1).split(size), strict=True)
        ]
        ax, ay = (torch.cat([piece[k] for piece in pieces]) for k in (0, 1))
        return ax.reshape(x.shape), ay.reshape(x.shape)

    def _at(self, x: Tensor, y: Tensor) -> Pair:
        ax, ay = torch.zeros_like(x), torch.zeros_like(y)
        if self.components.dpie:
            part = self._profiles.deflection(x[None], y[None], *self._sizes)
            ax, ay = ax + part[0][0], ay + part[1][0]
        for x0, y0, q, angle, kappa_s, scale in self._nfw:
            part = nfw_deflection(x - x0, y - y0, kappa_s, scale, q, angle)
            ax, ay = ax + part[0], ay + part[1]
        for x0, y0, gamma_1, gamma_2, kappa in self._shear:
            part = shear_deflection(x - x0, y - y0, gamma_1, gamma_2)
            ax, ay = ax + part[0] + kappa * (x - x0), ay + part[1] + kappa * (y - y0)
        return ax, ay


def read_lenstool(path: Path) -> ComponentLens:
    """The lens of Lenstool's ``best.par``: dPIE (81), PIEMD (8), round SIS (1), shear (14).

    Lenstool counts x to the west and y to the north of its reference, directions from x towards y,
    ellipticities as (a² − b²) / (a² + b²), and σ_0² = 3/2 v_disp² (Elíasdóttir et al. 2007,
    arXiv:0710.5636; Jullo et al. 2007, New J. Phys. 9, 447).

    Raises
    ------
    BadInputError
        If it has another profile, or something is missing.
    """
    sections = _sections(_text(path))
    reference = next((f["reference"] for kind, f in sections if kind == "runmode"), ["0"])
    if reference[0] != "3" or len(reference) < 3:
        raise BadInputError(
            f"{path}: runmode needs reference 3 with right ascension and declination."
        )
    potentials = [f for kind, f in sections if kind in ("potentiel", "potential")]
    if not potentials:
        raise BadInputError(f"{path} has no potentials: give Lenstool's best.par.")
    stated = next((f for kind, f in sections if kind in ("cosmologie", "cosmology")), {})
    number = _reader(path, "cosmology")
    matter = number(stated, "omegaM", 0.3)
    dark = number(stated, "omegaX", number(stated, "omega", 1 - matter))
    cosmology = {"H0": number(stated, "H0", 70.0), "Om0": matter}
    if abs(matter + dark - 1) > 1e-6:
        cosmology["Ode0"] = dark
    found = Components()
    number = _reader(path, "potential")
    redshifts = {number(p, "z_lens") for p in potentials}
    if len(redshifts) > 1:
        raise BadInputError(
            f"{path} has lenses at several redshifts; only one plane is known here."
        )
    plane = LensPlane(
        redshifts.pop(), float(reference[1]), float(reference[2]), cosmology_of(cosmology)
    )
    for potential in potentials:
        _add_lenstool(found, potential, path, plane)
    return ComponentLens(plane, found)


def _add_lenstool(
    found: Components, potential: dict[str, list[str]], path: Path, plane: LensPlane
) -> None:
    number = _reader(path, f"potential {potential['name'][0]}")
    profile = int(number(potential, "profil", number(potential, "profile", -1)))
    x, y = number(potential, "x_centre", 0.0), number(potential, "y_centre", 0.0)
    angle = math.radians(number(potential, "angle_pos", 0.0))
    if profile == _SHEAR:
        gamma = number(potential, "gamma")
        found.shear.append(
            (x, y, gamma * math.cos(2 * angle), gamma * math.sin(2 * angle),
             number(potential, "kappa", 0.0))
        )  # fmt: skip
        return
    e = number(potential, "ellipticite", number(potential, "ellipticity", 0.0))
    sigma = number(potential, "v_disp")
    if profile == _SIS and e == 0:
        found.dpie.append((x, y, 1.0, 0.0, SIS_ARCSEC * sigma**2, 0.0, math.inf))
    elif profile in (_DPIE, _PIEMD):
        scale = 1 / plane.kpc_per_arcsec
        core = number(potential, "core_radius", scale * number(potential, "core_radius_kpc", 0.0))
        cut = math.inf
        if profile == _DPIE:
            cut = number(potential, "cut_radius", math.nan)
            cut = scale * number(potential, "cut_radius_kpc") if math.isnan(cut) else cut
        b = SIS_ARCSEC * (LENSTOOL_SIGMA * sigma) ** 2
        if math.isfinite(cut):
            if cut <= core:
                raise BadInputError(
                    f"{path}, potential {potential['name'][0]}: cut radius not above its core."
                )
            b *= cut / (cut - core)
        found.dpie.append((x, y, math.sqrt((1 - e) / (1 + e)), angle, b, core, cut))
    else:
        raise BadInputError(
            f"{path}, potential {potential['name'][0]}: profile {profile} is not known here; known "
            "are 81 (dPIE), 8 (PIEMD), 1 (SIS, round) and 14 (shear)."
        )


def read_glafic(path: Path, plane: LensPlane) -> ComponentLens:
    """The lens of an input file of glafic: sie, jaffe, gals, nfw, anfw, pert.

    glafic (Oguri 2010, PASJ 62, 1017) counts x and y in arcsec from an origin that the file leaves
    open: here x to the west and y to the north of the plane's origin, position angles from north
    over east (from y towards −x), ellipticities e = 1 − q. Masses are virial (Bryan & Norman 1998,
    ApJ 495, 80) in units of 1/h. ``pert`` holds for its own source redshift.

    Raises
    ------
    BadInputError
        If it has another profile, or lies at another redshift than the plane.
    """
    found = Components()
    stated: dict[str, list[str]] = {}
    for line in _text(path).splitlines():
        words = line.split("#")[0].split()
        if len(words) >= 2 and words[0] != "lens":
            stated[words[0]] = words[1:]
        if not words or words[0] != "lens":
            continue
        try:
            kind, values = words[1], [float(word) for word in words[2:]]
            z = values[0]
            p = [*values[1:], *[0.0] * (8 - len(values))]
        except (IndexError, ValueError):
            raise BadInputError(f"{path}: {line.strip()!r} is no lens of glafic.") from None
        if abs(z - plane.z_lens) > 1e-4:
            raise BadInputError(
                f"{path}: a lens at z = {z:g}, but the cluster at {plane.z_lens:g}."
            )
        _add_glafic(found, kind, p, stated, path, plane)
    if not (found.dpie or found.nfw or found.shear):
        raise BadInputError(f"{path} has no lenses: give an input file of glafic.")
    return ComponentLens(plane, found)


def _add_glafic(
    found: Components,
    kind: str,
    p: list[float],
    stated: dict[str, list[str]],
    path: Path,
    plane: LensPlane,
) -> None:
    x, y, q, angle = p[1], p[2], 1 - p[3], math.radians(p[4] + 90)
    if kind in ("sie", "jaffe"):
        cut, core = (math.inf, p[5]) if kind == "sie" else (p[5], p[6])
        found.dpie.append(_glafic_isothermal(x, y, q, angle, p[0], core, cut))
    elif kind == "gals":
        galaxies = beside(path.parent, (stated.get("galfile") or ["galfile.dat"])[0])
        for line in _text(galaxies).splitlines():
            words = line.split("#")[0].split()
            if len(words) >= 5:
                gx, gy, light, e, turn = (float(word) for word in words[:5])
                found.dpie.append(
                    _glafic_isothermal(
                        gx, gy, 1 - e, math.radians(turn + 90), p[0] * light**0.25, 0.0,
                        p[5] * light ** p[6],
                    )
                )  # fmt: skip
    elif kind in ("nfw", "anfw"):
        h = float(plane.cosmology.h)
        excess = float(plane.cosmology.Om(plane.z_lens)) - 1
        virial = 18 * math.pi**2 + 82 * excess - 39 * excess**2
        kappa_s, scale = nfw_scales(
            torch.tensor(p[0] / h, dtype=torch.float64),
            torch.tensor(p[5], dtype=torch.float64),
            distance_mpc=plane.distance_mpc,
            critical_density=plane.critical_density,
            critical_surface_density=plane.critical_surface_density,
            overdensity=virial,
        )
        found.nfw.append((x, y, q, angle, float(kappa_s), float(scale)))
    elif kind == "pert":
        ratio = float(plane.ratio(p[0]))
        # glafic's direction is that of the shearing mass.
        gamma_1, gamma_2 = (
            -p[3] * part(2 * math.radians(p[4] - 90)) for part in (math.cos, math.sin)
        )
        found.shear.append((x, y, gamma_1 / ratio, gamma_2 / ratio, p[6] / ratio))
    else:
        raise BadInputError(
            f"{path}: the lens {kind!r} of glafic is not known here; known are sie, jaffe, gals, "
            "nfw, anfw and pert."
        )


def _glafic_isothermal(
    x: float, y: float, q: float, angle: float, sigma: float, core: float, cut: float
) -> tuple[float, ...]:
    """A row of ``dpie``: glafic counts radii along the major axis, Elíasdóttir's at (1 + q)/2."""
    narrow = (1 + q) / 2
    return (
        x,
        y,
        q,
        angle,
        SIS_ARCSEC * sigma**2 * narrow / math.sqrt(q),
        core * narrow,
        cut * narrow,
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise BadInputError(f"{path} does not exist.")
    return path.read_text(encoding="utf-8", errors="replace")


def _sections(text: str) -> list[tuple[str, dict[str, list[str]]]]:
    """Sections of Lenstool's file: their kind, and their fields with their words."""
    found: list[tuple[str, dict[str, list[str]]]] = []
    begun = False
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] in ("end", "fini", "finish"):
            begun = False
        elif begun:
            found[-1][1][words[0]] = words[1:]
        elif not line[0].isspace() and words[0].isalpha():
            found.append((words[0], {"name": words[1:2] or ["?"]}))
            begun = True
    return found


def _reader(path: Path, where: str) -> Callable[..., float]:
    """A function of fields, a name and what holds without it: its number."""

    def number(fields: dict[str, list[str]], name: str, default: float | None = None) -> float:
        if name not in fields:
            if default is None:
                raise BadInputError(f"{path}, {where}: {name} is missing.")
            return default
        try:
            return float(fields[name][0])
        except (IndexError, ValueError):
            raise BadInputError(f"{path}, {where}: {name} is no number.") from None

    return number
