"""Making a score a probability, and measuring whether it is one."""

from lensing_core.calibration.reliability import Reliability, reliability
from lensing_core.calibration.scaling import Calibration, calibrate, shift_prior

__all__ = ["Calibration", "Reliability", "calibrate", "reliability", "shift_prior"]
