"""Methods text of a report, assembled from stored facts, with citations."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from lens_triage.training.report.facts import EnsembleFacts, SearchFacts
from lens_triage.training.report.measured import FALSE_POSITIVE_RATE, Measured
from lens_triage.training.report.references import (
    METHODS,
    Reference,
    package_references,
    survey_reference,
)
from lensing_core.export.text import latex

Cite = Callable[..., str]
_CITED = re.compile(r"\s*\[@([A-Za-z0-9;]+)\]")
_KINDS = {
    "lightgbm": ("boosted-trees member", "boosted-trees members"),
    "network": ("network", "networks"),
    "pu_head": ("head on stored outputs", "heads on stored outputs"),
    "encoder": ("pretrained encoder", "pretrained encoders"),
}
_FUSIONS = {
    "mean": "the mean of their calibrated logits",
    "inverse_variance": "the mean of their calibrated logits, weighted by inverse variance",
    "stacking": "a logistic regression on their calibrated logits (stacking)",
    "isotonic_bayes": "isotonic regression of each and Bayes' theorem",
}
_CALIBRATIONS = {
    "temperature": "temperature scaling",
    "platt": "Platt scaling",
    "isotonic": "isotonic regression",
}
_METHODS_OF_CONSENSUS = {"swap": "SWAP", "dawid_skene": "the Dawid-Skene model"}
_METRICS = {
    "tpr0": "recall above the highest-scoring non-lens",
    "tpr10": "recall with fewer than ten non-lenses passing",
    "average_precision": "average precision",
    "auroc": "the area under the ROC curve",
}


@dataclass(frozen=True)
class Methods:
    """Paragraphs in which ``[@key;key]`` cites, and what they cite."""

    paragraphs: tuple[str, ...]
    references: tuple[Reference, ...]

    def to_html(self) -> str:
        """Paragraphs of HTML with authors and year in brackets."""
        short = {one.key: one.short for one in self.references}

        def cite(match: re.Match[str]) -> str:
            return f" ({'; '.join(escape(short[key]) for key in match[1].split(';'))})"

        return "\n".join(
            f"<p>{_CITED.sub(cite, escape(text, quote=False))}</p>" for text in self.paragraphs
        )

    def to_latex(self) -> str:
        """Paragraphs of LaTeX with ``\\citep``."""
        paragraphs = []
        for text in self.paragraphs:
            pieces, end = [], 0
            for match in _CITED.finditer(text):
                pieces.append(latex(text[end : match.start()]))
                pieces.append(rf" \citep{{{match[1].replace(';', ',')}}}")
                end = match.end()
            paragraphs.append("".join([*pieces, latex(text[end:])]))
        return "\n\n".join(paragraphs) + "\n"


def methods_of(facts: SearchFacts) -> Methods:
    """The text: data, ranking, calibration, metrics, inspection, software; only what is stored."""
    survey, packages = survey_reference(facts), package_references(facts)
    used: list[Reference] = [survey, *packages]

    def cite(*names: str) -> str:
        methods = [METHODS[name] for name in names]
        used.extend(methods)
        return f" [@{';'.join(one.key for one in methods)}]"

    paragraphs = [_data(facts, survey)]
    if facts.ensemble is not None:
        paragraphs.append(_ranking(facts.ensemble, cite))
        if facts.measured is not None:
            paragraphs.append(_metrics(facts.measured, facts.ensemble, cite))
    if facts.graders:
        paragraphs.append(_inspection(facts, cite))
    paragraphs.append(_stages(facts))
    software = ", ".join(
        f"{_name_of(one)} [@{one.key}]" for one in packages if one.key != "lenstriage"
    )
    paragraphs.append(
        f"The search was done with lens-triage {facts.versions.get('lens-triage', '')} "
        f"[@lenstriage], which used {software}."
    )
    return Methods(tuple(paragraphs), tuple({one.key: one for one in used}.values()))


def _name_of(reference: Reference) -> str:
    names = {"Astropy2022": "astropy", "Harris2020": "numpy", "Virtanen2020": "scipy",
             "Hunter2007": "matplotlib", "Paszke2019": "PyTorch", "Wightman2019": "timm",
             "Ke2017": "LightGBM", "Pedregosa2011": "scikit-learn", "Barbary2016": "SEP",
             "Stone2024": "caustics"}  # fmt: skip
    note = reference.fields.get("note", "").removeprefix("Version ")
    return f"{names.get(reference.key, reference.key)} {note}".strip()


def _data(facts: SearchFacts, survey: Reference) -> str:
    c = facts.catalog
    bands = ", ".join(c.bands)
    what = "simulated candidates in the form of" if c.origin == "simulated" else "candidates from"
    read = ""
    if c.n_quarantined:
        read = (
            f" Of {c.rows_read:,} rows of its table, {c.n_quarantined:,} could not be used and "
            "were set aside with their reasons."
        )
    labels = ""
    if c.labels.lenses or c.labels.non_lenses:
        labels = (
            f" {c.labels.lenses:,} of them are labeled as lenses and {c.labels.non_lenses:,} as "
            "non-lenses."
        )
    band = f"band {bands}" if len(c.bands) == 1 else f"bands {bands}"
    return (
        f"The catalog {c.name} holds {c.n_candidates:,} {what} the {c.survey_title} "
        f"[@{survey.key}], with cutouts of {c.size_px} pixels of "
        f"{c.pixel_scale_arcsec:g} arcsec in the {band}.{read}{labels}"
    )


def _ranking(e: EnsembleFacts, cite: Cite) -> str:
    counts = {kind: sum(1 for _, k in e.members if k == kind) for kind in _KINDS}
    members = " and ".join(
        f"{n} {one if n == 1 else several}"
        for (one, several), n in ((_KINDS[k], n) for k, n in counts.items() if n)
    )
    how = _FUSIONS.get(e.fusion, e.fusion)
    calibrations = [name for name in e.calibration if name in _CALIBRATIONS]
    calibrated = ""
    if calibrations:
        named = " and ".join(_CALIBRATIONS[name] for name in calibrations)
        calibrated = f" Logits were calibrated by {named}{cite(*calibrations)}."
    prior = ""
    if e.survey_prior is not None:
        prior = (
            f" Probabilities are given at a class prior of {e.survey_prior:g}, to which they were "
            f"moved by Bayes' theorem{cite('saerens')}."
        )
    trained = f" It was trained on {_listed(e.trained_on)}." if e.trained_on else ""
    fused = f", fused by {how}" if len(e.members) > 1 else ""
    return (
        f"{e.n_scored:,} candidates were ranked by the ensemble “{e.name}”: {members}{fused}."
        f"{trained}{calibrated}{prior}"
    )


def _metrics(m: Measured, e: EnsembleFacts, cite: Cite) -> str:
    sentence = "; ".join(
        f"{text} {e.figures[name]}" for name, text in _METRICS.items() if name in e.figures
    )
    return (
        f"The ranking was measured on {m.on}: {m.n_lenses:,} lenses and {m.n_others:,} "
        f"non-lenses. With 95 % intervals of a bootstrap stratified by class, {sentence}"
        f"{cite('metcalf')}. Intervals of curves are binomial{cite('clopper')}. Purity "
        f"against rank assumes the class prior {m.prior:g}. The confusion matrix is that of the "
        f"threshold which passes at most {FALSE_POSITIVE_RATE:.0%} of these non-lenses."
    )


def _inspection(facts: SearchFacts, cite: Cite) -> str:
    n = len(facts.graders)
    text = (
        f"{n} {'grader' if n == 1 else 'graders'} gave "
        f"{sum(g.n_votes for g in facts.graders):,} grades to {facts.n_graded:,} candidates, of "
        f"which {facts.n_graded_by_several:,} were graded by several."
    )
    a = facts.agreement
    if a.value == a.value:
        interval = ""
        if a.low_95 == a.low_95:
            interval = f" [{a.low_95:.3f}, {a.high_95:.3f}]"
        text += (
            f" Their agreement on lens, open, no lens is Fleiss' kappa {a.value:.3f}{interval}"
            f"{cite('fleiss')}."
        )
    if facts.consensus is not None:
        c = facts.consensus
        text += (
            f" Grades were aggregated by {_METHODS_OF_CONSENSUS[c.method]}{cite(c.method)}; a "
            f"candidate is accepted from a posterior of {c.thresholds.accept:g} and retired below "
            f"{c.thresholds.retire:g}."
        )
        states = facts.consensus_states
        text += " " + ", ".join(f"{states[k]:,} are {k}" for k in states) + "."
    return text


def _stages(facts: SearchFacts) -> str:
    counts = ", ".join(f"{n:,} in {stage}" for stage, n in facts.catalog.stages.items() if n)
    confirmed = facts.confirmed
    text = f"Of the candidates, there are {counts}."
    if any(confirmed.values()):
        text += (
            f" Records with spectra confirm {confirmed['lens']:,} as lenses and "
            f"{confirmed['not_lens']:,} as non-lenses."
        )
    return text + " A score is no confirmation."


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
