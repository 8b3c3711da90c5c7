"""What this machine and this folder have, and what of it stands in the way."""
