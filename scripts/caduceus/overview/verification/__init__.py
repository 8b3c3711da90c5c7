"""Does a W&B set-up work? A test run goes through the workflow, and its results are checked."""
