"""What there is, what would run, and why: `caduceus status` and `caduceus plan`."""
