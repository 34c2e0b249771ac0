"""Review: the ranked candidates, the chosen one in its viewer, and the panels beside it."""
