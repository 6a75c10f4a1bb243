"""A chest X-ray reader: the probability of pneumonia in paediatric images, with a heatmap and the evidence."""

__version__ = "0.2.0"
