"""Keeping of work lists beyond a session, where a site has switched it on. Nothing else of the app stores anything."""
