"""Every visit: Streamlit runs this script, which runs the page that the browser asks for."""

from cxrmodel.web.app import route

route()
