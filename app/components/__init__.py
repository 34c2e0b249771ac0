"""The parts that pages are made of, one a module, with its JavaScript beside it."""
