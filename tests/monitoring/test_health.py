from rtgenre.monitoring.health import NodeHealth, health_document


def node(problem=None, silent_for_seconds=1.0):
    return NodeHealth("kitchen", "device: USB", problem, silent_for_seconds, allowed_seconds=4.0)


def test_a_source_that_delivers_is_well():
    ok, document = health_document([node()], "1.0")
    assert ok
    assert document["nodes"]["kitchen"] == {
        "ok": True,
        "source": "device: USB",
        "reason": None,
        "hint": None,
        "seconds_since_window": 1.0,
    }


def test_capture_that_died_does_not_look_healthy():
    ok, document = health_document([node(silent_for_seconds=4.1)], "1.0")
    assert not ok
    assert "no window for 4.1 s" in document["nodes"]["kitchen"]["reason"]


def test_the_reason_is_the_sources_own():
    ok, document = health_document([node(problem="USB is unplugged")], "1.0")
    assert not ok
    assert document["nodes"]["kitchen"]["reason"] == "USB is unplugged"


def test_one_bad_source_is_enough():
    other = NodeHealth("bath", "device: BT", "gone", 99.0, 4.0)
    ok, document = health_document([node(), other], "1.0")
    assert not ok
    assert document["nodes"]["kitchen"]["ok"]


def test_a_hint_is_told_and_is_no_ill_health():
    muted = NodeHealth("kitchen", "device: USB", None, 1.0, 4.0, hint="is it muted?")
    ok, document = health_document([muted], "1.0")
    assert ok
    assert document["nodes"]["kitchen"]["hint"] == "is it muted?"
