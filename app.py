"""Chest X-ray reader: ``streamlit run app.py``."""

from streamlit.starlette import App

from cxrmodel.paths import ROUTER
from cxrmodel.web.server.guards import GUARDS
from cxrmodel.web.server.routes import ROUTES
from cxrmodel.web.server.start import started

# Streamlit looks for this call, by its name, to let the app bring its own server.
app = App(ROUTER, routes=ROUTES, middleware=GUARDS, lifespan=started)
