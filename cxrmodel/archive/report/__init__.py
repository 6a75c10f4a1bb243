"""The report on an archive's output: distributions, groups, outliers."""
