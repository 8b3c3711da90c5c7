"""What a paper shows of the exported runs: tables, figures, claims, compute."""
