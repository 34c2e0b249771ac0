"""HTTP API for other programs, ``/api/v1``: JSON, arrays and FITS by API tokens."""
