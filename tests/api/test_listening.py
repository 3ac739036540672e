import asyncio
import contextlib
from pathlib import Path

import pytest

from rtgenre import ConfigError, Listening, RtgenreError, SourceError, listen
from rtgenre.cli import main


async def test_every_window_of_a_file_gives_a_state_however_slowly_they_are_taken(model, song):
    states = []
    async for state in listen(song, model=model, speed="max"):
        states.append(state)
        await asyncio.sleep(0)
    # Windows of 4 s every 2 s in 40 s.
    assert [state["sequence"] for state in states] == list(range(19))
    assert (states[0]["genre"], states[-1]["genre"]) == ("jazz", "rock")
    assert states[0]["title"] == "song.wav"


async def test_states_say_what_the_file_as_a_whole_says(model, song):
    shown = [state["genre"] async for state in listen(song, model=model, speed="max")]
    sections = model.classify(song).sections
    assert [section.genre for section in sections] == list(dict.fromkeys(shown))


async def test_several_sources_share_a_model(model, song):
    async def last_genre():
        return [state["genre"] async for state in listen(song, model=model, speed="max")][-1]

    assert await asyncio.gather(last_genre(), last_genre()) == ["rock", "rock"]


async def test_leaving_the_loop_closes_everything(model, song):
    listening = listen(song, model=model, loop=True, speed="max", node="den")
    async with contextlib.aclosing(aiter(listening)) as states:
        async for state in states:
            assert state["node"] == "den"
            break
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_type_checkers_know_that_what_is_iterated_over_can_be_closed():
    assert Listening.__aiter__.__annotations__["return"] == "AsyncGenerator[StateDocument, None]"


async def test_cancelling_the_task_closes_everything(model, song):
    heard = asyncio.Event()

    async def consume():
        async for _ in listen(song, model=model, loop=True, speed="max"):
            heard.set()

    task = asyncio.create_task(consume())
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_input_that_cannot_be_used_is_an_error(model, tmp_path, song):
    with pytest.raises(SourceError, match=r"no file could be used: .*nosuch.wav"):
        async for _ in listen(tmp_path / "nosuch.wav", model=model):
            pass
    with pytest.raises(SourceError, match="this input has 1 channel"):
        async for _ in listen(song, model=model, channel=2):
            pass


@pytest.mark.parametrize("name", ["nosuch", "3", "-"])
async def test_a_path_is_never_taken_for_a_device(model, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        SourceError, match=f"no file could be used: .*/{name}: there is no such file"
    ):
        async for _ in listen(Path(name), model=model):
            pass


async def test_a_file_that_is_passed_over_is_told(model, tmp_path, song):
    listening = listen([tmp_path / "nosuch.wav", song], model=model, speed="max")
    assert len([state async for state in listening]) == 19
    (failure,) = listening.failures
    assert failure.endswith("nosuch.wav: there is no such file")
    assert listening.source == "file: nosuch.wav and 1 more"
    assert listening.problem is None


async def test_an_input_that_is_waited_for_is_a_problem_meanwhile(model, tmp_path):
    listening = listen(tmp_path / "later.wav", model=model, wait_for_input=True)

    async def consume():
        async for _ in listening:
            pass

    task = asyncio.create_task(consume())
    while listening.problem is None:
        await asyncio.sleep(0.01)
    assert "later.wav" in listening.problem
    task.cancel()


async def test_keywords_have_the_limits_of_the_settings(model, song):
    with pytest.raises(ConfigError, match=r"\[windows\] hop_seconds = 9 \(keyword\)"):
        listen(song, model=model, hop_seconds=9)
    with pytest.raises(ConfigError, match=r"\[source\] node = 'no/slash'"):
        listen(song, model=model, node="no/slash")


async def test_a_second_iteration_is_refused_with_what_to_do(model, song):
    listening = listen(song, model=model, speed="max")
    assert [state async for state in listening]
    with pytest.raises(RtgenreError, match=r"call listen\(\) again"):
        await anext(aiter(listening))


def test_neither_files_nor_the_environment_change_what_a_call_does(
    model, song, tmp_path, monkeypatch, printed
):
    (tmp_path / "rtgenre.toml").write_text("[windows]\nhop_seconds = 4.0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTGENRE_SMOOTHING__UNKNOWN_BELOW", "0.99")
    assert model.classify(song).genre in {"jazz", "rock"}
    assert main(["classify", "--json", str(song)]) == 0
    assert printed()["reason"]
