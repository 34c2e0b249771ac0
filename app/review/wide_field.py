"""``/wide-field/<candidate>``: the sky around a candidate as a JPEG, or one sentence as JSON.

Asked for by people, never by a page on its own: a service outside learns the position.
"""

from __future__ import annotations

from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.http.json_handlers import OwnPageHandler
from lens_triage.app.http.pools import Pool
from lensing_core.crossmatch.rate_limits import ServiceError
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store.candidates import get_candidate
from lensing_core.store.catalogs import get_catalog
from lensing_core.wide_field import FieldPicture, WideField

_FIELDS = Pool("pictures of the sky", 2, 8)


class WideFieldHandler(OwnPageHandler):
    """Answers one picture."""

    def initialize(  # type: ignore[override]  # Tornado passes these by name
        self, context: AppContext, source: WideField
    ) -> None:
        super().initialize(context)
        self._source = source

    async def get(self, candidate: str) -> None:
        """Serve ``/wide-field/<candidate>``."""
        try:
            found, size = await _FIELDS.run(lambda: self._fetch(candidate))
        except ServiceError as error:
            # 200, not 503: that a service cannot be reached is a state of the page, not a fault.
            self.send({"error": str(error)})
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not fetch the field; its log says why.")
        else:
            self.set_header("Cache-Control", "private, max-age=86400")
            self.set_header("X-Field-Survey", found.survey)
            self.set_header("X-Field-Arcmin", f"{found.width_arcsec / 60:.1f}")
            self.set_header("X-Cutout-Fraction", f"{size / found.width_arcsec:.4f}")
            self.reply(found.jpeg, "image/jpeg")

    def _fetch(self, candidate: str) -> tuple[FieldPicture, float]:
        """The picture, and the side of the cutout in arcsec."""
        if not candidate.isdecimal() or len(candidate) > 18:
            raise BadInputError(f"Candidate {candidate!r}: give its number.")
        with self.context.database.session() as session:
            found = get_candidate(session, int(candidate))
            if found.ra_deg is None or found.dec_deg is None:
                raise NotFoundError(f"{found.object_id} has no position.")
            catalog = get_catalog(session, found.catalog_id)
            size = catalog.size_px * catalog.pixel_scale_arcsec
            ra_deg, dec_deg = found.ra_deg, found.dec_deg
        return self._source.fetch(ra_deg, dec_deg, size), size


Routes = list[tuple[str, type[OwnPageHandler], dict[str, Any]]]


def routes(context: AppContext) -> Routes:
    """URL pattern, handler and arguments, for the server's list of routes."""
    given = {"context": context, "source": WideField(context.workspace)}
    return [(r"/wide-field/([^/]*)", WideFieldHandler, given)]
