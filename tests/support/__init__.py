"""Stand-ins, generated files and tools that several tests share."""
