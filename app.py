"""Chest X-ray reader: ``streamlit run app.py``."""

from cxrmodel.web.app import route

route()
