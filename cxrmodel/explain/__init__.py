"""What a probability rests on: heat maps and how they are shown."""
