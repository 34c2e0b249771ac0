"""Committees of a search fitted anew, in pieces, on real sky and on real lenses beside it.

What a search does in one run (paint, encode, fit, score) stands here step by step, so that one step
can be left out and the others kept. Painted sets and embeddings are kept in the workspace.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from more_objects import with_labels, write_as_stamps
from runs_here import candidates_of, confirmed_lenses, graded_stamps, known_run

from lens_triage.training.defaults import DEFAULTS, run_once, search_settings
from lens_triage.training.jobs import encode, inject
from lens_triage.training.jobs.search.committee import fit_committee
from lens_triage.training.jobs.search.sets import SearchData, gather, known_ids
from lens_triage.training.real_sky import write_sky
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import EncodeSettings, IngestSettings, SearchSettings
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import object_groups
from lensing_core.datasets.uses import LENS, OTHER, UNLABELED
from lensing_core.evaluation import Appearance, measure_appearance, measure_scores
from lensing_core.models.files import load_member
from lensing_core.models.outputs import StoredOutputs
from lensing_core.store import open_database
from lensing_core.workspace import Workspace

NAMES = {"ps1": "default-ps1", "cfhtls": "default-cfhtls-pictures"}
LENSES = "lenses"
COPIES = 1
"""Of each red galaxy of DES on the survey's sky, unless told otherwise: fewer than the bundled
ensembles have, so that a search of all hosts takes minutes."""
CLEAR = ("J1059_4251", "J124451_35_010643_0", "MACSJ2135_2-0102")
DOUBTFUL = (
    *("HAHJ1159_0114", "HAHJ1717_5931", "J014656-092952", "J021652_54-081345_3"),
    *("J235933_53_020823_3", "HAHJ1115_5319", "J0913_4237", "HST12368_6212", "HAHJ1732_1932"),
    *("HAHJ0333-0651", "J163028_15_452036_2"),
)
"""Systems whose arcs can be seen at Pan-STARRS1 depth, graded by one person on pictures of gri,
16 arcsec wide, before any score was looked at."""


def lenses_of(survey: str, data: Path) -> IngestSettings:
    """Import of the real lenses of a survey, on the grid of its sky."""
    if survey == "ps1":
        return confirmed_lenses(data, LENSES, "galaxies", bands=["g", "r", "i"], size_px=48)
    return graded_stamps(
        data,
        LENSES,
        grid_scale_arcsec=0.186,
        size_px=65,
        columns={"label": "Expert_Grade"},
        lens_from=2.0,
        nonlens_below=1.0,
        label_source="human:spacewarps",
    )


def default_of(survey: str, **changes: Any) -> SearchSettings:
    """The search that made the bundled ensemble of a survey, with some settings changed."""
    settings = search_settings(DEFAULTS[NAMES[survey]], device="cpu")
    settings.param.update(**changes)
    return settings


@dataclass(frozen=True)
class Looks:
    """What is known of the objects of a catalog without any score.

    Attributes
    ----------
    names, folders : ndarray of str
        Of objects, and of the folders that their files came from.
    label : ndarray of int
        1, 0, or -1 where there is none.
    place : ndarray of shape (n, 2)
        J2000 degrees; NaN where unknown.
    """

    names: np.ndarray
    folders: np.ndarray
    label: IntArray
    place: Float64Array
    appearance: Appearance

    @classmethod
    def of(cls, workspace: Workspace, catalog: str) -> Looks:
        """Of all objects, in the order of the cutouts."""
        with open_database(workspace).session() as session:
            rows = candidates_of(session, catalog)
            known = [(row.observation.properties if row.observation else {}) or {} for row in rows]
            place = [(row.ra_deg, row.dec_deg) for row in rows]
            names = np.array([row.object_id for row in rows])
            label = np.array([-1 if row.label is None else row.label for row in rows])
        store = CutoutStore(workspace.catalog_cutouts(catalog))
        return cls(
            names,
            np.array([str(found.get("folder", "")) for found in known]),
            label,
            np.array([[np.nan if v is None else v for v in p] for p in place], dtype=float),
            measure_appearance(store.read_many(np.arange(len(store))), store.geometry),
        )

    @property
    def visible(self) -> np.ndarray:
        """Lenses of the Strong Lensing Database with arcs that can be seen, clear or doubtful."""
        return np.array([name.startswith((*CLEAR, *DOUBTFUL)) for name in self.folders])

    @property
    def real(self) -> np.ndarray:
        """Objects of the survey itself: none of others that were put on its sky."""
        return np.array([name[0] in "op" for name in self.names])

    def __len__(self) -> int:
        return len(self.names)


@dataclass
class Bench:
    """One survey's real sky and real lenses in a workspace.

    Attributes
    ----------
    sky, lenses : Looks
    as_stamps : bool
        Whether all objects but the lenses are looked at as if they came from stamps.
    embeddings : dict
        Read so far, by encoder and catalog.
    """

    workspace: Workspace
    survey: str
    sky: Looks
    lenses: Looks
    as_stamps: bool = False
    embeddings: dict[tuple[str, str], Float32Array] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: Path,
        survey: str,
        data: Path,
        *,
        copies: int = COPIES,
        as_stamps: bool = False,
    ) -> Bench:
        """Make the catalogs, unless they are there."""
        workspace = Workspace.create(folder)
        catalog = default_of(survey).catalog
        write_sky(workspace, catalog, survey, data, copies=copies)
        run_once(workspace, lenses_of(survey, data))
        looked_at = write_as_stamps(workspace, catalog) if as_stamps else catalog
        sky, lenses = Looks.of(workspace, looked_at), Looks.of(workspace, LENSES)
        return cls(workspace, survey, sky, lenses, as_stamps)

    def looked_at(self, catalog: str) -> str:
        """The catalog with the pixels that encoders are given in place of those of ``catalog``."""
        if not self.as_stamps or catalog == LENSES:
            return catalog
        return write_as_stamps(self.workspace, catalog)

    def paint(self, settings: SearchSettings, **changes: Any) -> list[str]:
        """Paint the training sets of a search, each with ``changes``; names of their catalogs."""
        with open_database(self.workspace).session() as session:
            radius = settings.known_radius_arcsec
            barred = known_ids(session, settings.catalog, radius, self.workspace)
        names = []
        for number in range(settings.training_sets):
            wanted = settings.injection(number)
            wanted.param.update(**changes)
            known_run(self.workspace, wanted, wanted.catalog)
            context = JobContext(self.workspace, wanted.catalog)
            names.append(inject.run(context, wanted, without=barred)["catalog"])
        return names

    def encode(self, sets: list[str], **changes: Any) -> str:
        """Encode sky, training sets and lenses with a setting changed; return the encoder's id."""
        usual: dict[str, Any] = {
            "catalog": self.looked_at(default_of(self.survey).catalog),
            "input_px": 128,
            "views": "1",
            "layers": "both",
            "device": "cpu",
        }
        others = [*map(self.looked_at, sets), LENSES]
        wanted = EncodeSettings(additional_catalogs=others, **{**usual, **changes})
        digest = hashlib.sha256(json.dumps(wanted.to_json(), sort_keys=True).encode()).hexdigest()
        run_id = f"encode-{digest[:12]}"
        known_run(self.workspace, wanted, run_id)
        return str(encode.run(JobContext(self.workspace, run_id), wanted)["model"])

    def embedding(self, encoder: str, catalog: str) -> Float32Array:
        """Embeddings (n, d) of a catalog by an encoder."""
        key = (encoder, catalog)
        if key not in self.embeddings:
            name = self.looked_at(catalog)
            n = len(CutoutStore(self.workspace.catalog_cutouts(name)))
            found = StoredOutputs.read(self.workspace, encoder, name, n).embedding
            assert found is not None
            self.embeddings[key] = np.asarray(found[:])
        return self.embeddings[key]

    def layer(self, encoder: str, name: str) -> IntArray:
        """Columns of the embedding that come from one layer of the encoder."""
        blocks = load_member(self.workspace, encoder).manifest["blocks"]
        stops = np.cumsum([block["columns"] for block in blocks])
        parts = [
            np.arange(stop - block["columns"], stop)
            for block, stop in zip(blocks, stops, strict=True)
            if block["layer"] == name
        ]
        return np.concatenate(parts)

    def gather(self, settings: SearchSettings, sets: list[str]) -> SearchData:
        """Objects of the sky and of the training sets, divided as a search divides them."""
        with open_database(self.workspace).session() as session:
            data = gather(
                session,
                self.workspace,
                settings.catalog,
                sets,
                seed=settings.seed,
                known_radius_arcsec=settings.known_radius_arcsec,
            )
        n = len(self.sky)
        assert np.array_equal(data.labels.row[:n], np.arange(n))  # the sky comes first, in order
        return data

    def columns(self, encoders: list[str], data: SearchData) -> Float32Array:
        """Embeddings of the objects of a search, of several encoders side by side."""
        parts = []
        for catalog_id, name in data.labels.catalogs.items():
            rows = data.labels.row[data.labels.catalog_id == catalog_id]
            parts.append(np.hstack([self.embedding(e, name)[rows] for e in encoders]))
        return np.concatenate(parts)

    def lens_columns(self, encoders: list[str]) -> Float32Array:
        """Embeddings of the lenses, of several encoders side by side."""
        return np.hstack([self.embedding(e, LENSES) for e in encoders])


@dataclass(frozen=True)
class Scored:
    """Log-odds of the sky's objects, by members that did not see them, and of the lenses."""

    sky: Float64Array
    lenses: Float64Array
    mined: int = 0


def score_without_labels(
    data: SearchData, x: Float32Array, lenses: Float32Array, settings: SearchSettings, n_sky: int
) -> Scored:
    """Fit a committee as a search does, and score."""
    committee = fit_committee(data, x, settings)
    seen = committee.seen(len(data))
    sky = committee.rule(committee.raw(x[:n_sky]), without=seen[:n_sky]).logit
    return Scored(sky, committee.rule(committee.raw(lenses)).logit, committee.mined)


def score_with_labels(
    data: SearchData,
    x: Float32Array,
    lenses: Float32Array,
    settings: SearchSettings,
    n_sky: int,
    *,
    state: np.ndarray,
    fold: IntArray,
) -> Scored:
    """The same with labels of the lenses, each lens scored by the committee without its fold.

    Parameters
    ----------
    state : ndarray of shape (n,)
        Of each lens: LENS, OTHER, or UNLABELED where its label is not to be used.
    fold : ndarray of shape (n,)
        Whole groups by sky position in one fold.
    """
    found, sky = np.empty(len(lenses)), []
    for k in np.unique(fold).tolist():
        taught = np.flatnonzero((fold != k) & (state != UNLABELED))
        more = with_labels(data, state[taught], fold[taught])
        committee = fit_committee(more, np.concatenate([x, lenses[taught]]), settings)
        held = fold == k
        found[held] = committee.rule(committee.raw(lenses[held])).logit
        seen = committee.seen(len(more))[:n_sky]
        sky.append(committee.rule(committee.raw(x[:n_sky]), without=seen).logit)
    return Scored(np.mean(sky, axis=0), found)


def states_of(bench: Bench) -> np.ndarray:
    """Which labels of lenses are used: of graded stamps both, of confirmed lenses the visible."""
    if bench.survey == "ps1":
        return np.where(bench.lenses.visible, LENS, UNLABELED)
    label = bench.lenses.label
    return np.where(label == 1, LENS, np.where(label == 0, OTHER, UNLABELED))


@dataclass(frozen=True)
class Contest:
    """Lenses against others, the same for every score.

    Attributes
    ----------
    rows, others : ndarray of bool
        Which of the lenses; which of the sky, or of the lenses themselves.
    in_sky : bool
        Where the others stand.
    """

    name: str
    rows: np.ndarray
    others: np.ndarray
    in_sky: bool = True

    def scores(self, scored: Scored) -> Float64Array:
        """Of the lenses first."""
        theirs = scored.sky if self.in_sky else scored.lenses
        return np.concatenate([scored.lenses[self.rows], theirs[self.others]])

    @property
    def labels(self) -> IntArray:
        """1 for lenses."""
        return np.repeat([1, 0], [self.rows.sum(), self.others.sum()])

    def looks(self, bench: Bench) -> tuple[Appearance, IntArray]:
        """Appearance and groups by sky position."""
        sides = (
            (bench.lenses, self.rows),
            (bench.sky if self.in_sky else bench.lenses, self.others),
        )
        place = np.concatenate([side.place[chosen] for side, chosen in sides])
        appearance = Appearance.concatenate(
            [side.appearance.part(np.flatnonzero(chosen)) for side, chosen in sides]
        )
        groups = object_groups(
            len(place), ra_deg=place[:, 0], dec_deg=place[:, 1], block_nside=None
        )
        return appearance, groups


def contests_of(bench: Bench) -> list[Contest]:
    """What a survey's score is judged by."""
    lenses, real = bench.lenses, bench.sky.real
    if bench.survey == "ps1":
        return [
            Contest("clear and doubtful arcs against real objects", lenses.visible, real),
            Contest("all confirmed lenses against real objects", lenses.label == 1, real),
        ]
    return [
        Contest("grade >= 2 against real objects", lenses.label == 1, real),
        Contest("grade >= 2 against < 1", lenses.label == 1, lenses.label == 0, in_sky=False),
        # No lenses, of the same stamps: what tells these from real objects is not that they lens.
        Contest("a control, grade < 1 against real objects", lenses.label == 0, real),
    ]


def tell_whole(bench: Bench, contest: Contest, scored: Scored, name: str) -> None:
    """Print metrics of one score."""
    appearance, groups = contest.looks(bench)
    measured = measure_scores(contest.scores(scored), contest.labels, appearance.matching, groups)
    metrics = measured.metrics
    print(
        f"{name}: AUROC {metrics['auroc']}, recall at FPR 0.05 {metrics['recall_fpr_0.05']}, "
        f"matched {measured.matched}",
        flush=True,
    )
