"""The heartbeat's wheel, turned by hand."""

import pytest

from server.web.channel.wheel import Wheel

SLOTS, GRACE = 30, 10


class Peer:
    """A member that counts its pings; `is_alive` peers are heard after each."""

    def __init__(self, *, is_alive: bool) -> None:
        self.is_alive = is_alive
        self.slot = self.silent = self.pings = 0


def turn(wheel: Wheel[Peer], times: int) -> dict[int, list[Peer]]:
    """Turn the wheel as a second hand; who died at which turn."""
    deaths = {}
    for second in range(1, times + 1):
        due, dead = wheel.turn()
        for peer in due:
            peer.pings += 1
            peer.silent = 0 if peer.is_alive else peer.silent
        for peer in dead:
            wheel.discard(peer)
            deaths.setdefault(second, []).append(peer)
    return deaths


def wheel_of(*peers: Peer) -> Wheel[Peer]:
    """A wheel with these members."""
    wheel: Wheel[Peer] = Wheel(slots=SLOTS, grace=GRACE)
    for peer in peers:
        wheel.add(peer)
    return wheel


def test_everybody_is_pinged_once_per_revolution() -> None:
    """Each connection gets one ping in thirty seconds."""
    peers = [Peer(is_alive=True) for _ in range(100)]

    turn(wheel_of(*peers), SLOTS)

    assert {peer.pings for peer in peers} == {1}


def test_pings_are_spread_over_the_slots() -> None:
    """No second pings more than its share: a storm of reconnects does not become a storm of pings."""
    wheel = wheel_of(*(Peer(is_alive=True) for _ in range(3 * SLOTS)))

    assert {len(wheel.turn()[0]) for _ in range(SLOTS)} == {3}


def test_a_peer_that_answers_lives() -> None:
    """Whoever is heard after each ping is never given up."""
    peer = Peer(is_alive=True)

    assert turn(wheel_of(peer), 10 * SLOTS) == {}


def test_a_silent_peer_dies_after_two_pings_and_the_grace() -> None:
    """Two pings without a word, ten seconds more, and the peer is dead."""
    peer = Peer(is_alive=False)
    wheel = wheel_of(peer)

    deaths = turn(wheel, 3 * SLOTS)

    assert deaths == {SLOTS + SLOTS + GRACE: [peer]}
    assert peer.pings == 2


def test_a_word_within_the_grace_saves() -> None:
    """A late answer to the second ping counts."""
    peer = Peer(is_alive=False)
    wheel = wheel_of(peer)
    turn(wheel, 2 * SLOTS + GRACE - 1)

    peer.silent = 0

    assert turn(wheel, SLOTS) == {}


def test_a_member_that_left_is_not_pinged() -> None:
    """A closed connection is out of the wheel at once."""
    peer, other = Peer(is_alive=True), Peer(is_alive=True)
    wheel = wheel_of(peer, other)

    wheel.discard(peer)

    turn(wheel, SLOTS)
    assert (peer.pings, other.pings, len(wheel), list(wheel)) == (0, 1, 1, [other])


def test_leaving_twice_is_leaving_once() -> None:
    """Forgetting a stranger changes nothing."""
    peer = Peer(is_alive=True)
    wheel = wheel_of(peer)

    wheel.discard(peer)
    wheel.discard(peer)

    assert len(wheel) == 0


@pytest.mark.parametrize("grace", [0, SLOTS])
def test_a_grace_beyond_the_wheel_is_refused(grace: int) -> None:
    """A grace of a whole revolution would judge by the wrong ping."""
    with pytest.raises(ValueError, match="grace"):
        Wheel(slots=SLOTS, grace=grace)
