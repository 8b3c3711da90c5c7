"""The server of `caduceus board`: the project's results on one page, as they grow; read only."""
