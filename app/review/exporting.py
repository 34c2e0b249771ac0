"""Exports of a ranking: from the Review page as downloads, and on the command line.

Both are asked for by the words of a Review address, so that what is on the page is what is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lens_triage.app.acting import acting, hides_blind, name_of, permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.forms import key_in
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import EXPORTS
from lens_triage.app.review.query import (
    Address,
    read_address,
)
from lensing_core.errors import BadInputError
from lensing_core.export import FORMATS, ExportRow, export_to
from lensing_core.export.pictures import CutoutSource
from lensing_core.store import Session
from lensing_core.store.audit import record
from lensing_core.store.candidates import no_candidate
from lensing_core.store.catalogs import catalogs_with_candidates
from lensing_core.store.ensembles import get_ensemble, scored_ensembles
from lensing_core.store.export_rows import export_candidates, export_rows
from lensing_core.store.selections import find_selection
from lensing_core.workspace import Workspace

_DISCLAIMER = "Scores are no confirmation of a lens."


@dataclass(frozen=True)
class ExportRequest:
    """Contents of an export.

    Attributes
    ----------
    format : str
        Key of :data:`lensing_core.export.FORMATS`.
    address : Address
    only : bool
        The address's candidate alone, not the list.
    limit : int or None
        The first so many of the list.
    """

    format: str
    address: Address
    only: bool = False
    limit: int | None = None


def read_request(
    context: AppContext,
    name: str,
    arguments: Mapping[str, Sequence[str]],
    grader_id: int | None,
    *,
    hides: bool = False,
) -> ExportRequest:
    """Read the words of an address, with ``only`` and ``limit``.

    Parameters
    ----------
    hides : bool, optional
        Whether the reader is kept from what open blind sessions keep back.

    Raises
    ------
    BadInputError
        If the format is unknown, or a word cannot be followed: an export never leaves out a filter.
    """
    if name not in FORMATS:
        raise BadInputError(f"Format {name!r}: choose one of {', '.join(FORMATS)}.")
    address = read_list(context, arguments, grader_id, hides=hides)
    text = next(iter(arguments.get("limit", ())), "")
    if text and not key_in(text):
        raise BadInputError(f"limit {text!r}: give a whole number above 0.")
    only = next(iter(arguments.get("only", ())), "") == "1"
    if only and address.candidate_id is None:
        raise BadInputError("only=1 needs a candidate.")
    return ExportRequest(name, address, only, key_in(text))


def read_list(
    context: AppContext,
    arguments: Mapping[str, Sequence[str]],
    grader_id: int | None,
    *,
    hides: bool = False,
) -> Address:
    """Read the words of a Review address, where none may be left out.

    Parameters
    ----------
    hides : bool, optional
        Whether the reader is kept from what open blind sessions keep back.

    Raises
    ------
    BadInputError
        If a word cannot be followed.
    """
    with context.database.session() as session:
        address = read_address(
            arguments,
            scored_ensembles(session),
            catalogs_with_candidates(session, archived=True),
            grader_id,
        )
        key = address.query.selection
        if key and find_selection(session, key) is None:
            raise BadInputError("The selection in this address has expired; make it again.")
    if address.notices:
        raise BadInputError(" ".join(address.notices))
    return replace(address, query=replace(address.query, hides_blind=hides))


def write_export(context: AppContext, request: ExportRequest, path: Path) -> int:
    """Write the file; returns how many candidates it holds.

    Raises
    ------
    BadInputError
        If there is nothing to write, or the file cannot be written.
    NotFoundError
        If the one candidate does not exist.
    """
    chosen, query = FORMATS[request.format], request.address.query
    most = min((n for n in (request.limit, chosen.most) if n is not None), default=None)

    def rows() -> Iterator[ExportRow]:
        if request.only:
            key = request.address.candidate_id or 0
            try:
                yield from context.database.ask(export_candidates, query, [key])
            except KeyError:
                raise no_candidate(key) from None
        else:
            yield from export_rows(context.database, query, limit=most)

    with context.database.session() as session:
        notes, source = _notes(session, request), None
        if chosen.pixels:
            source = cutout_source(session, context.workspace)
    return export_to(path, request.format, rows, notes, source)


def _notes(session: Session, request: ExportRequest) -> list[str]:
    query = request.address.query
    order = f"by {query.sort}, {'largest' if query.descending else 'smallest'} first"
    scores = "without scores"
    if query.ensemble_id is not None:
        scores = f"scores of ensemble {get_ensemble(session, query.ensemble_id).name}"
    return [f"Candidates of lens-triage, {scores}, {order}.", _DISCLAIMER]


def cutout_source(session: Session, workspace: Workspace) -> CutoutSource:
    """The cutouts of all catalogs."""
    return CutoutSource(
        workspace,
        {
            c.name: c.survey.definition.get("rgb_bands") or ()
            for c in catalogs_with_candidates(session, archived=True)
        },
    )


def file_name(request: ExportRequest, n: int) -> str:
    """Name of a downloaded file."""
    suffix = FORMATS[request.format].suffix
    if request.only:
        return f"candidate-{request.address.candidate_id}{suffix}"
    kind = "candidates" if suffix != ".zip" else f"candidates-{request.format}"
    return f"{kind}-{n}{suffix}"


class ExportHandler(GraderHandler):
    """``GET /export/<format>?<words of a Review address>``: the file, as a download."""

    async def get(self, name: str) -> None:
        """Write the file beside the cache, in a thread, then send it in blocks."""
        folder = self.context.workspace.cache / "exports"

        def work(path: Path) -> tuple[ExportRequest, int]:
            grader = permit(self.here, "export_candidates")
            request = read_request(
                self.context,
                name,
                self.words(),
                grader.id if grader else None,
                hides=hides_blind(self.here),
            )
            n = write_export(self.context, request, path)
            with acting(self.here, "export_candidates") as (session, person):
                told = f"{n} candidates as {name}"
                if person is not None and person.token_label:
                    told += f", by the API token {person.token_label}"
                record(session, "export", name_of(person), told, self.address)
            return request, n

        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            path = Path(temporary) / "export"
            try:
                request, n = await EXPORTS.run(lambda: work(path))
            except Exception as error:  # noqa: BLE001 - logged; the reader gets one sentence
                why = "The file could not be written; the server's log says why."
                return self.refuse_for(error, why)
            self.set_header("Content-Type", FORMATS[name].media_type)
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header(
                "Content-Disposition", f'attachment; filename="{file_name(request, n)}"'
            )
            await self.send_file(path)
        return self.finish()  # type: ignore[return-value]  # a future that Tornado waits for


def routes(context: AppContext) -> list[tuple[str, type[OwnPageHandler], dict[str, AppContext]]]:
    """URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/export/([a-z0-9]+)", ExportHandler, {"context": context})]
