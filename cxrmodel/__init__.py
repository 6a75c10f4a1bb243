"""A chest X-ray reader: the probability of pneumonia in paediatric images, with a heatmap and the evidence."""

import os

__version__ = "0.2.0"

# ONNX Runtime would keep a device identifier and send usage events. It reads these once, when it is loaded: the first
# is the name up to version 1.32, the second that of later ones.
os.environ.update(ORT_DISABLE_TELEMETRY="1", ORT_TELEMETRY_DISABLED="1")
