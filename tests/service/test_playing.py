from rtgenre.service.playing import TOLD_SECONDS, ToldTracks
from rtgenre.types import Track

SO_WHAT = Track("So What", "Miles Davis")


def test_what_is_told_of_a_room_holds_for_it_alone_until_something_else_is():
    told = ToldTracks()
    told.tell("den", SO_WHAT)
    assert (told.now("den"), told.now("bath")) == (SO_WHAT, None)
    told.tell("den", Track("Blue in Green"))
    assert told.now("den") == Track("Blue in Green")
    told.tell("den", None)
    assert told.now("den") is None


def test_nothing_is_claimed_for_ever_of_a_program_that_has_gone():
    now = 0.0
    told = ToldTracks(lambda: now)
    told.tell("den", SO_WHAT)
    now = TOLD_SECONDS
    assert told.now("den") == SO_WHAT
    now += 1
    assert told.now("den") is None
