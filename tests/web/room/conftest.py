"""A room of images."""

import pytest

from cxrmodel.web.room.room import Room
from tests.support.stand_ins import FakeReader


@pytest.fixture
def room():
    """A room that reads with a stand-in."""
    made = Room("browser")
    made.use(FakeReader())
    return made
