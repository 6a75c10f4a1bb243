"""A chest X-ray reader: the probability of pneumonia in paediatric images, with what it rests on."""

__version__ = "0.2.0"
