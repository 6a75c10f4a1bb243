"""Chest X-ray reader: ``streamlit run app.py``."""

from cxrmodel.web import navigation

navigation.route()
