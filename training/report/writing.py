"""The folder of a report: everything in it, checksums, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lens_triage.training.report.document import report_html
from lens_triage.training.report.facts import SearchFacts, gather
from lens_triage.training.report.figures import Drawn, charts
from lens_triage.training.report.galleries import MOST, gallery
from lens_triage.training.report.methods import methods_of
from lens_triage.training.report.references import to_bibtex
from lensing_core.disk import check_new_folder, whole_folder
from lensing_core.errors import BadInputError
from lensing_core.export.columns import ExportRow
from lensing_core.export.pictures import CutoutSource
from lensing_core.export.published import (
    TableTitle,
    write_cds,
    write_deluxetable,
    write_mrt,
    write_published_csv,
    write_published_votable,
)
from lensing_core.models.manifest import file_sha256
from lensing_core.store import Database, Session, open_database
from lensing_core.store.candidates import object_names
from lensing_core.store.catalogs import catalogs_with_candidates
from lensing_core.store.export_rows import export_candidates, export_rows
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.search_counts import known_lenses_of
from lensing_core.store.summaries import histogram_scores
from lensing_core.workspace import Workspace

CHECKSUMS = "SHA256SUMS"
DISCLAIMER = "Scores are no confirmation of a lens."
_MOVED = ("triage", "validation", "confirmation")
_KEPT_BLIND = ("n_grades", "n_lens", "consensus", "consensus_state")
_CELLS = ("true_positives", "false_positives", "false_negatives", "true_negatives")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ReportRequest:
    """Contents of a report.

    Attributes
    ----------
    catalog : str
    ensemble : str
        '' for the promoted one, or the newest that has scored the catalog.
    title : str
        '' for one that names the catalog.
    authors : str
        For the heads of tables.
    names : bool
        Graders by their names, not as grader 1, 2, ...
    candidates : int
        Most rows of the table of candidates.
    """

    catalog: str
    ensemble: str = ""
    title: str = ""
    authors: str = ""
    names: bool = False
    candidates: int = 200

    @property
    def shown_title(self) -> str:
        return self.title or f"Search for strong lenses in {self.catalog}"


def no_progress(done: int, total: int, activity: str) -> None:
    """Say nothing."""


def write_report(
    workspace: Workspace,
    folder: Path,
    request: ReportRequest,
    *,
    progress: Progress = no_progress,
    made_at: datetime | None = None,
) -> dict[str, Any]:
    """Write a report; the folder appears whole or not at all.

    Returns
    -------
    dict
        Numbers of ``files``, ``figures`` and ``candidates``, and sentences on what is ``missing``.

    Raises
    ------
    BadInputError
        If the folder is there already and holds something, or cannot be written.
    NotFoundError
        If there is no such catalog or ensemble.
    """
    check_new_folder(folder)
    database = open_database(workspace)
    with database.session() as session:
        facts = gather(
            session,
            workspace,
            request.catalog,
            request.ensemble,
            names=request.names,
            made_at=made_at or datetime.now(UTC),
        )
    with whole_folder(folder) as beside:
        return _Writer(workspace, database, beside, request, facts, progress).write()


class _Writer:
    """One report on its way into a folder."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        folder: Path,
        request: ReportRequest,
        facts: SearchFacts,
        progress: Progress,
    ) -> None:
        self._workspace, self._database = workspace, database
        self._folder, self._request, self._facts = folder, request, facts
        self._progress = progress
        for name in ("figures", "tables", "cds"):
            (folder / name).mkdir()

    def write(self) -> dict[str, Any]:
        facts = self._facts
        self._say(0, "Drawing charts")
        drawn = self._charts()
        rows, rows_are = self._rows()
        self._say(1, "Drawing galleries")
        galleries = self._galleries(rows)
        self._say(2, "Writing figures")
        for one in [*drawn, *galleries]:
            one.save(self._folder / "figures")
        self._say(3, "Writing tables")
        self._tables(rows, rows_are)
        self._say(4, "Writing the text")
        methods = methods_of(facts)
        title = self._request.shown_title
        document = report_html(
            title, facts, methods, drawn, galleries, rows, rows_are, self._folder / "figures"
        )
        (self._folder / "report.html").write_text(document, "utf-8")
        (self._folder / "methods.tex").write_text(methods.to_latex(), "utf-8")
        (self._folder / "references.bib").write_text(to_bibtex(methods.references), "utf-8")
        numbers = {
            "title": title,
            **facts.to_json(),
            "methods": list(methods.paragraphs),
            "table": {"rows": len(rows), "are": rows_are},
            "figures": {one.name: one.caption for one in [*drawn, *galleries]},
        }
        (self._folder / "report.json").write_text(
            json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False, default=str), "utf-8"
        )
        files = write_checksums(self._folder)
        self._say(5, "Done")
        return {
            "files": files + 1,
            "figures": len(drawn) + len(galleries),
            "candidates": len(rows),
            "missing": facts.missing,
        }

    def _say(self, done: int, activity: str) -> None:
        self._progress(done, 5, activity)

    def _charts(self) -> list[Drawn]:
        facts = self._facts
        if facts.ensemble is None:
            return []
        with self._database.session() as session:
            histogram = histogram_scores(session, facts.ensemble.id, facts.catalog.id)
        return charts(facts.measured, histogram, facts.catalog.n_candidates)

    def _query(self, stages: Sequence[str] = ()) -> RankingQuery:
        e = self._facts.ensemble
        return RankingQuery(
            None if e is None else e.id,
            sort="object_id" if e is None else "score",
            descending=e is not None,
            catalog_ids=(self._facts.catalog.id,),
            stages=tuple(stages),
        )

    def _rows(self) -> tuple[list[ExportRow], str]:
        """Candidates of the table, and one sentence on which they are."""
        most, stages = self._request.candidates, self._facts.catalog.stages
        moved = [stage for stage in _MOVED if stages.get(stage)]
        rows = list(export_rows(self._database, self._query(moved), limit=most))
        where = f"in {' or '.join(moved)}" if moved else "of the catalog"
        total = sum(stages[stage] for stage in moved) or self._facts.catalog.n_candidates
        order = "object id" if self._facts.ensemble is None else "score"
        first = "All" if len(rows) == total else f"The first {len(rows):,} of {total:,}"
        sentence = f"{first} candidates {where}, by {order}. {DISCLAIMER}"
        return [self._without_blind(row) for row in rows], sentence

    def _without_blind(self, row: ExportRow) -> ExportRow:
        """A row without what is known of the grades of an open blind session."""
        if row["candidate"] not in self._facts.kept_blind:
            return row
        return replace(row, values={**row.values, **dict.fromkeys(_KEPT_BLIND)})

    def _galleries(self, table: Sequence[ExportRow]) -> list[Drawn]:
        facts, made = self._facts, []
        with self._database.session() as session:
            source = _cutout_source(session, self._workspace)
            lenses, n_lenses = known_lenses_of(session, facts.catalog.id, limit=MOST)
            wanted = {"lenses": (lenses, n_lenses)}
            if facts.measured is not None:
                for name in _CELLS:
                    ids = facts.measured.part(name).tolist()
                    wanted[name] = (ids[:MOST], len(ids))
            for name, (ids, total) in wanted.items():
                rows = self._rows_of(session, ids)
                if rows:
                    made.append(gallery(name, rows, source, total))
        if table:
            made.insert(0, gallery("candidates", table, source, len(table)))
        return made

    def _rows_of(self, session: Session, ids: Sequence[int]) -> list[ExportRow]:
        """Rows of candidates that are still in the workspace."""
        there = object_names(session, ids)
        return export_candidates(session, self._query(), [key for key in ids if key in there])

    def _tables(self, rows: Sequence[ExportRow], rows_are: str) -> None:
        """The table in all its forms; a form that cannot hold it is named among what is missing."""
        if not rows:
            self._facts.missing.append("There is no candidate for the table.")
            return
        request, tables, cds = self._request, self._folder / "tables", self._folder / "cds"
        about = TableTitle(
            request.shown_title, request.authors or "(names of the authors)", rows_are
        )
        write_published_csv(tables / "candidates.csv", rows)
        notes = [request.shown_title + ".", rows_are]
        write_published_votable(tables / "candidates.vot", rows, notes)
        write_deluxetable(tables / "candidates.tex", rows, about)
        try:
            write_mrt(tables / "candidates.mrt", rows, about)
            write_cds(cds / "table1.dat", cds / "ReadMe", rows, about)
        except BadInputError as error:
            self._facts.missing.append(str(error))
            for path in (tables / "candidates.mrt", cds / "table1.dat", cds / "ReadMe"):
                path.unlink(missing_ok=True)
            cds.rmdir()


def _cutout_source(session: Session, workspace: Workspace) -> CutoutSource:
    return CutoutSource(
        workspace,
        {
            c.name: c.survey.definition.get("rgb_bands") or ()
            for c in catalogs_with_candidates(session, archived=True)
        },
    )


def write_checksums(folder: Path) -> int:
    """Write ``SHA256SUMS`` as ``sha256sum -c`` reads it; returns how many files it names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{file_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / CHECKSUMS).write_text("".join(lines), "ascii")
    return len(paths)
