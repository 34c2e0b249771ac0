"""``POST /api/v1/score``: cutouts that somebody sends, scored by an ensemble and not kept."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from lens_triage.app.acting import permit
from lens_triage.app.api.base import ApiHandler
from lens_triage.app.api.forms import PostedScoresReply
from lens_triage.app.api.replies import finite
from lens_triage.app.context import AppContext
from lens_triage.app.http.json_bodies import MOST_BYTES
from lens_triage.app.http.pools import Pool
from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.posted_arrays import as_cutouts, read_arrays
from lensing_core.store.ensembles import default_ensemble, version_of
from lensing_core.surveys import Survey, get_survey

if TYPE_CHECKING:
    from lensing_core.scoring import ArrayScorer  # loads torch: here when something is scored

SCORING = Pool("scores of posted cutouts", 1, 4)
MOST_POSTED = 2 * MOST_BYTES
"""Bytes of a body; the front takes no more of any."""
_KINDS = ("flux", "rendered")
_MOST_OPEN = 2
_open: OrderedDict[tuple[str, str, str], ArrayScorer] = OrderedDict()
_lock = Lock()


class ScoreHandler(ApiHandler):
    """Scores the cutouts of a body."""

    pool = SCORING
    kinds = "Send a .npy or .npz array as application/octet-stream."

    def is_allowed_kind(self) -> bool:
        """Return whether the body may be an array: what no form of another site sends."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind in ("application/octet-stream", "application/x-npy", "application/x-npz")

    async def post(self) -> None:
        """Score ``.npy`` or ``.npz`` cutouts; the parameters say what they are."""
        if len(self.request.body) > MOST_POSTED:
            self.refuse(
                413, f"The body has {len(self.request.body):,} bytes; send up to {MOST_POSTED:,}."
            )
            return

        def work() -> PostedScoresReply:
            words = self.asked()
            permit(self.here, "score_posted")
            arrays = read_arrays(self.request.body)
            flux = as_cutouts(_the_flux(arrays))
            survey = self.one(words, "survey")
            geometry = _geometry(
                flux,
                bands=[b for b in self.one(words, "bands").split(",") if b],
                survey=get_survey(survey, self.context.workspace) if survey else None,
                pixel_scale=self.one(words, "pixel_scale_arcsec"),
                zero_points=self.one(words, "zero_points_mag"),
                kind=self.one(words, "pixel_kind", "flux"),
            )
            scorer, version = _scorer(self.context, self.one(words, "ensemble"))
            return _scored(scorer, version, flux, geometry)

        await self.answer(work)


def _the_flux(arrays: dict[str, Float32Array]) -> Float32Array:
    if set(arrays) != {"flux"}:
        raise BadInputError(
            f"The archive holds {', '.join(sorted(arrays))[:80] or 'nothing'}; send one array, "
            "flux."
        )
    return arrays["flux"]


def _geometry(
    flux: Float32Array,
    *,
    bands: list[str],
    survey: Survey | None,
    pixel_scale: str,
    zero_points: str,
    kind: str,
) -> CutoutGeometry:
    """Geometry that the parameters state; a survey's definition fills in what they leave out."""
    if len(bands) != flux.shape[1]:
        raise BadInputError(
            f"bands names {len(bands)} bands, and the array has {flux.shape[1]}: give them in its "
            "order, as bands=g,r,i."
        )
    if kind not in _KINDS:
        raise BadInputError(f"pixel_kind {kind[:20]!r}: choose one of {', '.join(_KINDS)}.")
    if not pixel_scale and survey is None:
        raise BadInputError("Give pixel_scale_arcsec, or a survey whose definition states it.")
    scale = _number(pixel_scale, "pixel_scale_arcsec") if pixel_scale else 0.0
    scale = scale or (survey.pixel_scale_arcsec if survey else 0.0)
    if zero_points:
        mags = tuple(_number(text, "zero_points_mag") for text in zero_points.split(","))
    elif survey is not None:
        mags = tuple(survey.zero_point_mag(band, scale) for band in bands)
    else:
        mags = (math.nan,) * len(bands)
    return CutoutGeometry(
        survey.name if survey else "",
        tuple(bands),
        flux.shape[-1],
        scale,
        "rendered" if kind == "rendered" else "flux",
        mags,
        (math.nan,) * len(bands),
    )


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInputError(f"{name} {text[:20]!r}: give a number.")
    return value


def _scorer(context: AppContext, name: str) -> tuple[ArrayScorer, str]:
    """The ensemble of a name, else the one that is taken by default; the last two stay open."""
    from lensing_core.scoring import open_scorer  # loads torch

    with context.database.session() as session:
        ensemble = default_ensemble(session, name)
        version = version_of(ensemble)
        key = (str(context.workspace.root), ensemble.name, version)
        with _lock:
            found = _open.get(key)
            if found is not None:
                _open.move_to_end(key)
                return found, version
        made = open_scorer(context.workspace, ensemble)
    with _lock:
        _open[key] = made
        while len(_open) > _MOST_OPEN:
            _open.popitem(last=False)
    return made, version


def _scored(
    scorer: ArrayScorer, version: str, flux: Float32Array, geometry: CutoutGeometry
) -> PostedScoresReply:
    found = scorer(flux, geometry)
    scores, distances = found.scores, found.ood_distance
    return {
        "ensemble": scorer.name,
        "version": version,
        "scores": [
            {
                "logit": finite(scores.logit[k]),
                "probability": finite(scores.probability[k]),
                "epistemic": finite(scores.epistemic[k]),
                "aleatoric": finite(scores.aleatoric[k]),
                "disagreement": finite(scores.disagreement[k]),
                "ood_distance": None if distances is None else finite(distances[k]),
                "members": {
                    model: finite(logit)
                    for model, logit in zip(found.members, scores.member_logits[k], strict=True)
                },
            }
            for k in range(len(flux))
        ],
    }
