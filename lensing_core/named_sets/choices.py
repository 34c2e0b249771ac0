"""Keys of published sets, for settings and command lines that must start fast."""

LISTS = ("lenscat", "castles", "sled", "slacs", "bells", "sl2s")
"""Lists of known lenses."""
PRESETS = ("galaxiesml", "bologna1", "bologna2", "galaxyzoo", "spacewarps", *LISTS)
"""Sets that an import knows."""
ATTACHABLE = (*LISTS, "galaxyzoo", "spacewarps")
"""Sets whose labels belong to places on the sky."""
