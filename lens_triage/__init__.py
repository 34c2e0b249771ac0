"""lens-triage: the browser (:mod:`lens_triage.app`) and the runs (:mod:`lens_triage.training`).

The two packages and their assets are folders at the top of the repository; links here give them a
name of their own, so that an installed lens-triage brings no package named ``app`` or ``training``
beside those of others. The engine is :mod:`lensing_core`.
"""

from importlib.metadata import version as _version

__version__ = _version("lens-triage")
