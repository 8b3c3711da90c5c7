"""The report: one page with all that was run and found, which opens from disk without a network."""
