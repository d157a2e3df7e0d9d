"""Streams as the config files have them: what is read, and what is said of each that is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from collab_tui.config import ConfigError, load_config, project_config_file
from collab_tui.config.streams import DEFAULT_FIELDS, StreamSettings, read_project_stream, read_stream
from collab_tui.config.values import WrongError

HUB = """
[[stream]]
name = "hub"
folder = "~/shop"
url = "https://hub.example/events"
headers = { Authorization = "Bearer ${HUB_TOKEN}" }
fields = { task = "issue.key" }
"""


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's config file, not yet there."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name, appauthor: str(folder))
    return folder / "config.toml"


def stream(text: str) -> StreamSettings:
    return read_stream(tomllib.loads(text))


def test_a_stream_is_read_with_what_it_leaves_out_as_the_task_hub_has_it(user: Path) -> None:
    user.write_text(HUB, encoding="utf-8")
    (hub,) = load_config().streams
    assert (hub.name, hub.url, hub.events, hub.keep_alive) == (
        "hub",
        "https://hub.example/events",
        ("task_updated",),
        30,
    )
    assert hub.fields == {**DEFAULT_FIELDS, "task": "issue.key"}
    assert hub.headers == {"Authorization": "Bearer ${HUB_TOKEN}"}
    assert hub.source is not None
    assert hub.source.line == 2


URL = 'name = "hub"\nfolder = "~/shop"\nurl = "https://hub.example/events"\n'
WRONG = {
    'name = "hub"': "it needs url",
    'name = "hub"\nurl = "hub.example"': 'it takes an address such as "https://hub.example/events"',
    'name = "hub"\nurl = "file:///etc/passwd"': "it takes an address",
    'name = "hub"\nurl = "https://[x"': "it is no address",
    'name = "hub"\nurl = "https://a:b@hub.example/"': "no name or password stands in it",
    'name = "hub"\nurl = "http://hub.example/events"': "everybody on the way can read and change http",
    'name = "a\\nb"\nurl = "https://hub.example/"': "one line of at most 48 characters",
    URL + 'headers = { "X Y" = "1" }': "no header that you can set",
    URL + 'headers = { Last-Event-ID = "1" }': "no header that you can set",
    URL + 'headers = { A = "b\\r\\nC: d" }': "a line of ASCII",
    'name = "hub"\nurl = "https://hub.example/events"': "it needs folder, the project that it is for",
    'name = "hub"\nurl = "https://hub.example/events"\nfolder = "shop"': "a folder from its root or your home",
    URL + "events = []": "a list of types of events",
    URL + 'fields = { tsk = "id" }': "did you mean task?",
    URL + 'keep_alive = "0s"': "1 to 3600 seconds",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_a_stream_is_told(text: str) -> None:
    with pytest.raises(WrongError) as caught:
        stream(text)
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:1"])
def test_on_this_machine_http_is_as_good(host: str) -> None:
    assert stream(f'name = "hub"\nfolder = "/"\nurl = "http://{host}/events"').url == f"http://{host}/events"


def test_a_projects_stream_acts_only_with_leave_and_sends_no_secrets(user: Path, tmp_path: Path) -> None:
    registry = tmp_path / "project" / ".collab" / "registry.jsonl"
    file = project_config_file(registry)
    file.parent.mkdir(parents=True)
    file.write_text('[[stream]]\nname = "hub"\nurl = "https://hub.example/"\n', encoding="utf-8")
    config = load_config(registry)
    assert config.streams == ()
    assert config.waiting is not None
    file.write_text(HUB, encoding="utf-8")
    with pytest.raises(ConfigError, match="leave folder out"):
        load_config(registry)
    file.write_text(HUB.replace('folder = "~/shop"\n', ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="headers are for your own file alone"):
        load_config(registry)
    assert read_project_stream({"name": "hub", "url": "https://hub.example/"}).headers == {}


def test_two_streams_of_one_name_are_one_too_many(user: Path) -> None:
    user.write_text(HUB + HUB, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"'hub' is the stream at .*config\.toml:2, too"):
        load_config()


def test_a_stream_of_the_user_is_followed_in_its_project_and_in_no_other(user: Path, tmp_path: Path) -> None:
    """Else each project that is open would have the same task decided on and done."""
    user.write_text(HUB.replace("~/shop", str(tmp_path / "shop")), encoding="utf-8")
    here, elsewhere = (tmp_path / name / ".collab" / "registry.jsonl" for name in ("shop", "shop2"))
    assert [stream.name for stream in load_config(here).streams] == ["hub"]
    assert load_config(elsewhere).streams == ()
