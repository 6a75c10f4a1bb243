"""How good the model is, measured and drawn."""
