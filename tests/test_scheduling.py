"""Whose turn it is, and how much memory is in use."""

import threading
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrmodel.scheduling import AGEING, Budget, Client, NeverFits, Queue, Turns

WAIT = 60
"""Seconds; guards against a hang."""


class ToyClock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Seconds."""
        return self.now


def served(queue, clients):
    """Names in the order in which a queue serves clients, each of which asks again while it has images."""
    order, left = [], {name: images for name, (_, images) in clients.items()}
    for client, _ in clients.values():
        queue.join(client)
    while any(left.values()):
        name = next(name for name in left if left[name] and queue.place(clients[name][0]) == 1)
        queue.serve(clients[name][0])
        order.append(name)
        left[name] -= 1
        if left[name]:
            queue.join(clients[name][0])
    return order


@pytest.mark.parametrize(
    ("images", "order"),
    [
        ({"a": 3}, "aaa"),
        ({"a": 2, "b": 2}, "abab"),
        ({"a": 3, "b": 1, "c": 2}, "abcaca"),
        ({"a": 1, "b": 4, "c": 1}, "abcbbb"),
    ],
)
def test_every_first_turn_comes_before_any_second(images, order):
    """Batches of any length take turns, first come, first served within a round."""
    clients = {name: (Client(), count) for name, count in images.items()}
    assert "".join(served(Queue(ToyClock()), clients)) == order


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_no_one_is_two_turns_ahead(counts):
    """While two clients both wait, they differ by one turn at most."""
    clients = {str(number): (Client(), count) for number, count in enumerate(counts)}
    taken = dict.fromkeys(clients, 0)
    for name in served(Queue(ToyClock()), clients):
        assert all(taken[name] <= taken[other] for other in clients if taken[other] < clients[other][1])
        taken[name] += 1


def test_a_newcomer_goes_before_those_who_had_a_turn():
    """Its first image is not behind the rest of a long batch."""
    queue, old, new = Queue(ToyClock()), Client(), Client()
    queue.join(old)
    queue.serve(old)
    queue.join(old)
    queue.join(new)
    assert (queue.place(new), queue.place(old)) == (1, 2)


def test_waiting_makes_up_for_turns_taken():
    """However many newcomers there are, a long batch is served in the end."""
    clock = ToyClock()
    queue, old = Queue(clock), Client(taken=3)
    queue.join(old)
    places = []
    for _ in range(4):
        queue.join(Client())
        places.append(queue.place(old))
        clock.now += AGEING
    assert places == [2, 3, 4, 1]


def test_who_comes_back_keeps_the_place():
    """A page that runs again while its image waits does not go to the end."""
    queue, first, second = Queue(ToyClock()), Client(), Client()
    queue.join(first)
    queue.join(second)
    queue.leave(first)
    assert queue.place(second) == 1
    queue.join(first)
    assert (queue.place(first), queue.place(second)) == (1, 2)


class Line:
    """Threads that wait for turns at one thing, and the order in which they had them."""

    def __init__(self, at_once=1):
        self.turns, self.order, self._told = Turns(at_once), [], threading.Condition()
        self._threads = []

    def join(self, name, client):
        """Wait for a turn on a thread; return once that thread waits."""
        places = []

        def notify(place):
            with self._told:
                places.append(place)
                self._told.notify_all()

        def run():
            with self.turns.turn(client, notify):
                self.order.append(name)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        with self._told:
            assert self._told.wait_for(lambda: places, WAIT)
        return places[0]

    def finish(self):
        """Wait for all threads."""
        for thread in self._threads:
            thread.join(WAIT)
        return self.order


def test_threads_are_served_in_order_and_told_their_place():
    """Those who wait hear their place, and come in the order of the queue."""
    line = Line()
    with line.turns.turn(Client()):
        places = [line.join(name, Client(taken)) for name, taken in [("second", 1), ("first", 0), ("third", 1)]]
    assert places == [1, 1, 3]
    assert line.finish() == ["first", "second", "third"]


def test_as_many_at_once_as_there_are_places():
    """Free places are taken without waiting."""
    turns = Turns(2)
    with ExitStack() as held:
        held.enter_context(turns.turn(Client()))
        held.enter_context(turns.turn(Client()))


def test_a_turn_that_fails_is_free_again():
    """An error within a turn, or while waiting for it, leaves the queue."""
    line = Line()

    def stop(place):
        raise InterruptedError

    with line.turns.turn(Client()), pytest.raises(InterruptedError), line.turns.turn(Client(), stop):
        pass
    with pytest.raises(ValueError, match="wrong"), line.turns.turn(Client()):
        raise ValueError("wrong")
    with line.turns.turn(client := Client()):
        assert (client.taken, client.ticket) == (1, None)


def test_claims_wait_for_memory_in_order():
    """A small claim does not pass a large one that came before it."""
    budget, order = Budget(10), []

    def claim(amount):
        with budget.claim(amount):
            order.append(amount)

    threads = [threading.Thread(target=claim, args=(amount,)) for amount in (8, 1)]
    with budget.claim(5):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while budget.waiting < number:
                threading.Event().wait(0.001)
        assert order == []
    for thread in threads:
        thread.join(WAIT)
    assert order == [8, 1]
    assert budget.used == 0


def test_what_never_fits_is_refused_at_once():
    """Memory beyond the whole budget is no matter of waiting."""
    budget = Budget(10)
    with budget.claim(10), pytest.raises(NeverFits) as caught, budget.claim(11):
        pass
    assert caught.value.limit == 10
    assert budget.used == 0


def test_memory_of_a_failure_is_free_again():
    """An error gives its claim back."""
    budget = Budget(10)
    with pytest.raises(ValueError, match="wrong"), budget.claim(10):
        raise ValueError("wrong")
    assert budget.used == 0
