"""The process that owns the port: it serves grading itself and passes all else to the pages."""
