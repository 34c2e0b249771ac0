"""What graders say: schemes of grades, and what several graders come to together."""

from lensing_core.consensus.schemes import REJECT_REASONS, SCHEMES, Grade, Scheme, scheme_from_json

__all__ = ["REJECT_REASONS", "SCHEMES", "Grade", "Scheme", "scheme_from_json"]
