"""Everything that runs as a job: settings, runner, ingest, simulation, training, scoring."""
