"""Chest X-ray reader: ``streamlit run app.py``."""

from cxrmodel.web import app as navigation

navigation.route()
