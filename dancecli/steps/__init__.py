"""The steps of `dancecli.pipeline`, one module each: what a line of it does, with its cache."""
