"""How fast readings and trainings are, measured beside naive ways in one run."""
