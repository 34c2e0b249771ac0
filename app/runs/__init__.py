"""Runs as pages show them: the form that starts one, their list, one as it happens."""
