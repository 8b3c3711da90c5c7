"""Does a W&B set-up work? A test run takes the way that every run takes, and is looked at."""
