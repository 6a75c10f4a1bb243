"""Inboxes: where images come from. Each hands every image to ``Admission`` and acknowledges it afterwards."""
