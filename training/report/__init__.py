"""The report of a search: numbers, figures, text with its citations, and tables, in one folder.

:func:`.writing.write_report` makes the folder; the job, the command and the page share it.
"""
