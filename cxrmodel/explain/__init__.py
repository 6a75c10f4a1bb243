"""What a probability rests on: heatmaps and how they are shown."""
