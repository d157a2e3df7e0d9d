import pytest

from collab_tui.model.words import Status, awaited_in_status, leading_names, name_key, status_of


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.WAITING, "waiting awaiting pending waiting_for_lubit_decision waiting-for-approval Waiting"),
        (
            Status.IN_PROGRESS,
            "in_progress in-progress active working running started validating monitoring IN_PROGRESS",
        ),
        (Status.BLOCKED, "blocked stuck BLOCKED blocked_by_db"),
        (Status.COMPLETED, "completed complete done finished approved"),
        (Status.IDLE, "idle ready standby"),
        (Status.FAILED, "failed error"),
    ],
)
def test_status_words_are_mapped_by_their_first_word(status, words):
    assert {word: status_of(word) for word in words.split()} == dict.fromkeys(words.split(), status)


def test_lower_case_words_may_be_separated_by_spaces():
    assert status_of("in progress") is Status.IN_PROGRESS
    assert status_of("waiting for review") is Status.WAITING


@pytest.mark.parametrize(
    "raw",
    [
        "Ready for Production",
        "Production Ready - Full System Integration",
        "done!",
        "blocked: db",
        "done because " + "x" * 40,
        "readyish",
        "pondering",
        "작업 중",
        "",
        "___",
    ],
)
def test_sentences_and_unlisted_words_are_unknown(raw):
    assert status_of(raw) is Status.UNKNOWN


def test_a_word_of_forty_characters_is_still_mapped_and_one_more_is_not():
    assert status_of("waiting_".ljust(40, "x")) is Status.WAITING
    assert status_of("waiting_".ljust(41, "x")) is Status.UNKNOWN


@pytest.mark.parametrize("spelling", ["sena", "Sena", " SENA ", "ｓｅｎａ"])
def test_names_are_compared_nfkc_casefolded(spelling):
    assert name_key(spelling) == "sena"


def test_korean_names_are_names_in_composed_and_decomposed_form():
    assert name_key("\u1112\u1161\u11ab") == name_key("한")
    assert leading_names("루빗_결정") == ["루빗_결정", "루빗"]


@pytest.mark.parametrize(
    ("raw", "awaited"),
    [
        ("waiting_for_lubit_decision", "lubit_decision"),
        ("awaiting_sena_response", "sena_response"),
        ("waiting_on_gitcode", "gitcode"),
        ("WAITING_FOR_Lubit", "Lubit"),
        ("waiting", None),
        ("awaiting", None),
        ("in_progress", None),
    ],
)
def test_waiting_for_x_and_awaiting_x_name_what_is_awaited(raw, awaited):
    assert awaited_in_status(raw) == awaited


def test_a_token_may_start_with_a_name_and_the_longest_prefix_comes_first():
    assert leading_names("Team_Lubit_decision") == ["team_lubit_decision", "team_lubit", "team"]


@pytest.mark.parametrize("sentence", ["lubit must decide", "lubit: decide", "", "x" * 81])
def test_a_sentence_names_nobody(sentence):
    assert leading_names(sentence) == []
