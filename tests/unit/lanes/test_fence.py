"""The word of a pause or cancel stands in memory until the database has surely been asked."""

from server.lanes.fence import Fence


def test_a_pause_stands_through_the_turn_under_way() -> None:
    """A turn that had begun before the pause does not lift it; the next one does."""
    fence = Fence()
    fence.pause("amo:1", turn=5)

    fence.lift(5)
    assert fence.stops("amo:1")
    fence.lift(6)
    assert not fence.stops("amo:1")


def test_resume_lifts_at_once() -> None:
    """After resume nothing stops the lane."""
    fence = Fence()
    fence.pause("amo:1", turn=5)

    fence.resume("amo:1")

    assert not fence.stops("amo:1")


def test_a_cancelled_group_is_barred_likewise() -> None:
    """Jobs of a cancelled group are barred until a later turn; jobs without a group never are."""
    fence = Fence()
    fence.cancel("parcel:1", turn=5)

    fence.lift(5)
    assert fence.bars("parcel:1")
    assert not fence.bars(None)
    fence.lift(6)
    assert not fence.bars("parcel:1")
