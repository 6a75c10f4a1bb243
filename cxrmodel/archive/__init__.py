"""Scoring of whole archives: many images into partitioned Parquet, each once, however often the run is interrupted."""
