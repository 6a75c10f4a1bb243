"""The store of a hospital: images, jobs, readings, results to be sent, and who did what. SQLite or PostgreSQL."""
