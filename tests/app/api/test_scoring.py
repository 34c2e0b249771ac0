"""Posted cutouts: what is read of a body, and that scores are those of a run."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from endpoints import serve_routes
from pydantic import TypeAdapter
from tiny_ensembles import GEOMETRY, add_tiny_ensemble

from lens_triage.app.api import describing
from lens_triage.app.api.forms import PostedScoresReply
from lens_triage.app.context import AppContext
from lensing_core.errors import BadInputError
from lensing_core.models.deep import DeepMember
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.posted_arrays import MOST_EXPANDED, as_cutouts, read_array, read_arrays
from lensing_core.workspace import Workspace


def npy(array: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def test_arrays_are_read_as_numpy_wrote_them():
    flux = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype("f4")
    np.testing.assert_array_equal(read_array(npy(flux)), flux)
    stream = io.BytesIO()
    np.savez_compressed(stream, flux=flux.astype(">f8"))
    np.testing.assert_array_equal(as_cutouts(read_arrays(stream.getvalue())["flux"]), flux)
    assert as_cutouts(flux[0]).shape == (1, 3, 8, 8)


def claims(shape: tuple[int, ...]) -> bytes:
    """A file whose header states a shape, and that ends there."""
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no .npy array"),
        (b"\x80\x04N.", "no .npy array"),  # a pickle
        (npy(np.array([{}], dtype=object), allow_pickle=True), "no rows of numbers"),
        (npy(np.zeros((2, 3)))[:-1], "bytes"),
        (claims((10**9, 10**9)), "bytes"),  # no memory is taken for it
        (claims((-1, 3)), "no rows"),
        (npy(np.zeros(3, "M8[s]")), "send numbers"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 3000, "cannot be read"),
        (b"PK\x03\x04 and nothing", "cannot be read"),
        (archive(flux=bytes(MOST_EXPANDED + 1)), "send up to"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(content, words):
    with pytest.raises(BadInputError, match=words):
        read_arrays(content)


@pytest.mark.parametrize("shape", [(8, 8), (1, 3, 8, 9), (0, 3, 8, 8), (1, 1, 3, 8, 8)])
def test_what_is_no_stack_of_cutouts_is_refused(shape):
    with pytest.raises(BadInputError, match="square cutouts"):
        as_cutouts(np.zeros(shape, "f4"))
    with pytest.raises(BadInputError, match="send numbers"):
        as_cutouts(np.array(["g", "r"]))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return Workspace.create(tmp_path_factory.mktemp("posted") / "workspace")


@pytest.fixture(scope="module")
def tiny(workspace) -> tuple[EnsembleRule, list[DeepMember]]:
    return add_tiny_ensemble(workspace)


@pytest.fixture(scope="module")
def url(workspace, tiny) -> Iterator[str]:
    """URL of the API of a workspace in which one person works alone."""
    with serve_routes(describing.routes(AppContext.of(workspace))) as address:
        yield f"{address}/api/v1/score"


def post(url: str, query: str, body: bytes) -> dict[str, Any]:
    request = Request(f"{url}?{query}", body, {"Content-Type": "application/octet-stream"})  # noqa: S310 - ours
    try:
        with urlopen(request, timeout=60) as reply:  # noqa: S310 - our own server
            return json.loads(reply.read())
    except HTTPError as error:
        return {"status": error.code, **json.loads(error.read())}


def test_posted_cutouts_get_the_scores_of_the_ensemble(url, tiny):
    """Larger cutouts with a further band, in another unit: the center of the model's bands."""
    flux = np.random.default_rng(1).normal(size=(3, 2, 32, 32)).astype("f4")
    flux[0, 0, :4] = np.nan
    wide = np.full((3, 3, 40, 40), 7.0, "f4")
    wide[:, [2, 0], 4:36, 4:36] = flux * 10**0.4
    told = post(url, "survey=hsc&bands=g,r", npy(flux))
    TypeAdapter(PostedScoresReply).validate_python(told, strict=True)
    assert told["ensemble"] == "tiny"
    query = "ensemble=tiny&bands=r,z,g&pixel_scale_arcsec=0.168&zero_points_mag=28,28,28"
    again = post(url, query, npy(wide.astype("f8")))
    assert again["version"] == told["version"]
    rule, members = tiny
    raw = np.stack([m.predictor(GEOMETRY, "posted")(flux).logit for m in members], axis=1)
    expected = rule(raw).logit
    for reply in (told, again):
        logits = [score["logit"] for score in reply["scores"]]
        np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("survey=hsc", "bands names 0 bands"),
        ("survey=hsc&bands=g,i", "bands r are missing"),
        ("bands=g,r", "Give pixel_scale_arcsec"),
        ("bands=g,r&pixel_scale_arcsec=0.168", "have no zero point"),
        ("bands=g,r&pixel_scale_arcsec=nan&survey=hsc", "give a number"),
        ("bands=g,r&survey=moon", "moon"),
        ("bands=g,r&survey=hsc&pixel_kind=x", "choose one of flux, rendered"),
        ("bands=g,r&survey=hsc&zero_points_mag=27", "1 values for 2 bands"),
        ("bands=g,r&survey=hsc&ensemble=none", "no ensemble none"),
        ("bands=g,r&survey=hsc&ensemble=..%2Ftiny", "no ensemble ../tiny"),
    ],
)
def test_parameters_that_do_not_describe_the_array_are_said(url, query, words):
    told = post(url, query, npy(np.zeros((1, 2, 32, 32), "f4")))
    assert told["status"] in (400, 404)
    assert words in told["error"]


def test_an_archive_of_other_arrays_is_refused(url):
    told = post(url, "bands=g,r&survey=hsc", archive(images=npy(np.zeros((1, 2, 32, 32)))))
    assert (told["status"], "send one array, flux" in told["error"]) == (400, True)
