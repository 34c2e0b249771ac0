"""All members of an ensemble at work on one catalog, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import FeaturePool
from lensing_core.features.pool import FROM_ROWS
from lensing_core.models.classic import ClassicMember, ClassicPredictor
from lensing_core.models.deep import DeepMember
from lensing_core.models.encoders.member import EncoderMember
from lensing_core.models.files import StoredMember
from lensing_core.models.member import MemberOutput, Metadata, Predictor
from lensing_core.processes import available_cores


@dataclass(frozen=True)
class Predictors:
    """Predictors by model id; features of classic members are computed beside the networks.

    Attributes
    ----------
    conditioned : bool
        Whether some member looks at metadata.
    ahead : int
        Batches to :meth:`begin` before the first is asked for, so that no process waits.
    """

    predictors: dict[str, Predictor]
    pools: dict[str, FeaturePool]
    conditioned: bool

    @classmethod
    @contextmanager
    def open(
        cls,
        members: Sequence[StoredMember],
        geometry: CutoutGeometry,
        catalog: str,
        rows: int,
        *,
        with_variance: bool = False,
    ) -> Iterator[Predictors]:
        """Make members ready for ``rows`` cutouts of ``geometry``.

        Raises
        ------
        ContractError
            Where the cutouts do not fit.
        """
        predictors = {
            stored.id: stored.member.predictor(geometry, catalog, with_variance=with_variance)
            for stored in members
        }
        classic = {k: p for k, p in predictors.items() if isinstance(p, ClassicPredictor)}
        processes, threads = _shared_out(members, rows)
        with ExitStack() as stack:
            stack.enter_context(_torch_threads(threads))
            pools = {
                key: stack.enter_context(FeaturePool(predictor.compute, processes))
                for key, predictor in classic.items()
            }
            yield cls(predictors, pools, any(s.member.metadata_names for s in members))

    @property
    def ahead(self) -> int:
        return max((pool.ahead for pool in self.pools.values()), default=0)

    def begin(
        self, flux: Float32Array, metadata: Metadata | None
    ) -> dict[str, Callable[[], MemberOutput]]:
        """Let networks predict cutouts (n, band, y, x) while processes begin with their features.

        What is returned gives the output of a member, and waits for features where it needs them.
        """
        classic = {
            key: partial(
                _with_trees, predictor, self.pools[key].submit(predictor.selection(flux), metadata)
            )
            for key, predictor in self.predictors.items()
            if isinstance(predictor, ClassicPredictor)
        }
        deep = {
            key: partial(_given, predictor(flux, metadata))
            for key, predictor in self.predictors.items()
            if key not in classic
        }
        return {**deep, **classic}


def _with_trees(predictor: ClassicPredictor, features: Callable[[], Float32Array]) -> MemberOutput:
    return predictor.of_table(features())


def _given(output: MemberOutput) -> MemberOutput:
    return output


def _shared_out(members: Sequence[StoredMember], rows: int) -> tuple[int, int]:
    """Processes for the features of each classic member, and threads for networks.

    On a CPU either half of the cores: threads of networks wait for one another at every layer, and
    would wait longest for one whose core a process has taken. Few rows are done one after another.
    """
    cores = available_cores()
    classic = sum(isinstance(stored.member, ClassicMember) for stored in members)
    deep = [s.member for s in members if isinstance(s.member, DeepMember | EncoderMember)]
    if not classic or rows < FROM_ROWS:
        return 0, cores
    if not deep:
        of_networks = 0
    elif deep[0].device == "cpu":
        of_networks = cores - cores // 2
    else:
        of_networks = 1  # which feeds the GPU
    return max(1, (cores - of_networks) // classic), max(1, of_networks)


@contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
