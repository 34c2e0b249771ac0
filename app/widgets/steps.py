"""Steps from an empty workspace to graded candidates: those done, and the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from lens_triage.app.scripts import styles
from lens_triage.app.widgets import format as fmt
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import CatalogSummary, EnsembleSummary

STEPS_CSS = styles("widgets/steps.css")


@dataclass(frozen=True)
class Step:
    """One of the four steps; ``state`` is 'done', 'busy', 'next' or 'later'."""

    title: str
    state: str
    text: str
    links: tuple[tuple[str, str], ...] = ()


def address(page: str, **arguments: object) -> str:
    """A relative link to a page, e.g. ``address("review", catalog="cosmos")``."""
    given = {name: value for name, value in arguments.items() if value not in (None, "")}
    return f"{page}?{urlencode(given)}" if given else page


def next_steps(
    catalogs: Sequence[CatalogSummary],
    ensembles: Sequence[EnsembleSummary],
    active: Sequence[RunSummary],
) -> list[Step]:
    """Return what has been done in a workspace, what goes on, and what to do next."""
    busy = {run.kind for run in active}
    filled = [catalog for catalog in catalogs if catalog.n_candidates]
    scored = [catalog for catalog in filled if catalog.scored]
    n_candidates = sum(catalog.n_candidates for catalog in filled)

    data = Step(
        "Bring in cutouts",
        _state(bool(filled), {"ingest", "simulate"} & busy, ready=True),
        f"{fmt.plural(n_candidates, 'candidate')} in {fmt.plural(len(filled), 'catalog')}."
        if filled
        else "Import a table with its images, or simulate a survey to learn from.",
        (("Import", "catalogs?tab=import"), ("Simulate", "catalogs?tab=simulate")),
    )
    train = Step(
        "Train an ensemble",
        _state(bool(ensembles), {"train"} & busy, ready=bool(filled)),
        _ensembles_text(ensembles)
        if ensembles
        else "On a labeled catalog: simulated, or imported with labels.",
        (("Train", "train"),) if filled else (),
    )
    score = Step(
        "Score a catalog",
        _state(bool(scored), {"score"} & busy, ready=bool(filled and ensembles)),
        _scored_text(scored) if scored else "The ensemble ranks every candidate of it.",
        (("Score", "score"),) if filled and ensembles else (),
    )
    review = Step(
        "Review the ranking",
        "next" if scored else "later",
        "Inspect the candidates, the most likely lenses first.",
        (("Review", _review_link(scored)),) if scored else (),
    )
    return [data, train, score, review]


def _state(done: bool, busy: object, *, ready: bool) -> str:
    if busy:
        return "busy"
    if done:
        return "done"
    return "next" if ready else "later"


def _ensembles_text(ensembles: Sequence[EnsembleSummary]) -> str:
    number = fmt.plural(len(ensembles), "ensemble")
    promoted = [(e.promoted_at, e.name) for e in ensembles if e.promoted_at is not None]
    return f"{number}; {max(promoted)[1]} is promoted." if promoted else f"{number} to score with."


def _scored_text(scored: Sequence[CatalogSummary]) -> str:
    latest = scored[0]
    n = max(latest.scored.values())
    if len(scored) == 1:
        return f"{fmt.count(n)} of {fmt.count(latest.n_candidates)} of {latest.name}."
    return f"{fmt.plural(len(scored), 'catalog')}, the newest of them {latest.name}."


def _review_link(scored: Sequence[CatalogSummary]) -> str:
    latest = scored[0]
    best: Mapping[str, int] = latest.scored
    return address("review", catalog=latest.name, ensemble=max(best, key=lambda name: best[name]))


def steps_html(steps: Sequence[Step]) -> str:
    """The steps as an ordered list; the first that is 'next' stands out, the others less."""
    parts = []
    highlighted = False
    for k, step in enumerate(steps, start=1):
        state = step.state
        if state == "next":
            state = "later" if highlighted else "next"
            highlighted = True
        mark = {"done": "✓", "busy": "…"}.get(state, str(k))
        links = "".join(f'<a href="{escape(href)}">{escape(text)}</a>' for text, href in step.links)
        current = ' aria-current="step"' if state == "next" else ""
        parts.append(
            f'<li class="{state}" data-mark="{mark}"{current}><h3>{escape(step.title)}</h3>'
            f"<p>{escape(step.text)}</p>{links}</li>"
        )
    return f"<ol>{''.join(parts)}</ol>"
