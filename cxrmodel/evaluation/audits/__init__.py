"""Audits: what drives the score, which perturbations change it, and for whom it works less well."""
