"""Archives: all that a paper's numbers were made from in one zip, and the proof that they are."""
