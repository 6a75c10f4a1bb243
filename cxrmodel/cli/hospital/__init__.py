"""Commands for a hospital: its configuration, store, results, worker and server."""
