"""Train: start trainings, compare and promote ensembles."""
