"""The app's own addresses, beside Streamlit's."""

from typing import Final

from cxrmodel.web.server.room import images, maps, outputs, queue

ROUTES: Final = [*queue.ROUTES, *images.ROUTES, *maps.ROUTES, *outputs.ROUTES]
