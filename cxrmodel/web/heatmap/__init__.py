"""The Heatmap page."""
