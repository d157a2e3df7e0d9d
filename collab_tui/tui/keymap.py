"""Which key does what, once the user's `[keys]` are taken over; and what is wrong with them.

Textual checks nothing: an unknown name never fires, and of two commands on one key one is silently lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys, key_to_character

from collab_tui.config import Config
from collab_tui.config.values import instead_of, shown
from collab_tui.tui.actions import ACTIONS, BY_ID, Action, Where

_SPELLINGS: Final = {
    "esc": "escape",
    "return": "enter",
    "spacebar": "space",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "arrowup": "up",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "control": "ctrl",
    "option": "alt",
}
"""How people write it -> Textual's name."""
_SHORT: Final = {"escape": "esc", "pageup": "page up", "pagedown": "page down"}
_SAME_KEY: Final = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "ctrl+h": "backspace",
    "ctrl+at": "ctrl+space",
}
"""What most terminals cannot tell apart."""
_MODIFIERS: Final = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_NAMED: Final = frozenset(
    key.value for key in Keys if "<" not in key.value and "+" not in key.value and "-" not in key.value
)
_WHICH_KEYS: Final = "it takes a letter, a sign or one such as space, f8, left or delete, perhaps with ctrl+ or alt+"
_FIXED: Final = {
    **dict.fromkeys("123456789", "it chooses options, and the usual filters of the log"),
    **dict.fromkeys(("up", "down", "k", "j", "pageup", "pagedown", "home", "end"), "it moves in every list"),
    "escape": "it closes every dialog",
    "ctrl+s": "it sends what is written in a dialog",
    "ctrl+p": "it opens the palette",
    "ctrl+q": "it always leaves",
    "ctrl+c": "it copies what is selected",
    "ctrl+z": "it puts the program into the background",
    "enter": "it presses the buttons of dialogs",
    **dict.fromkeys(("tab", "shift+tab"), "it goes through the fields of dialogs"),
}
"""Key -> what it is for, so that no command can have it but one that has it by default, where the two never meet."""
FIXED_COMMANDS: Final = {
    "choose": "the numbers choose the option of that number",
    "usual": "the numbers filter the log in the usual way of that number",
}
"""Command whose keys cannot be changed -> why."""


@dataclass(frozen=True)
class Keymap:
    """The keys of the commands."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Command id -> Textual's names of its keys, for commands with other keys than their own."""

    def of(self, action: Action) -> Action:
        """An action as it is with these keys."""
        if action.id not in self.keys:
            return action
        keys = self.keys[action.id]
        return replace(action, keys=",".join(_both_spellings(keys)), shown_key=written(keys[0]))

    def text(self, command: str) -> str:
        """How the first key of a command is written, for hints."""
        return self.of(BY_ID[command]).key_text

    def all_text(self, action: Action) -> str:
        """How all keys of an action are written, for lists of keys."""
        return " ".join(map(written, self.keys[action.id])) if action.id in self.keys else action.key_text

    @cached_property
    def for_textual(self) -> dict[str, str]:
        """What `App.set_keymap` takes: every command, for a key that goes from one to another is lost otherwise."""
        if not self.keys:
            return {}
        return {action.id: self.of(action).keys for action in ACTIONS if action.id not in FIXED_COMMANDS}


def make_keymap(config: Config) -> tuple[Keymap, list[str]]:
    """The keys that the settings ask for, and everything that is wrong with them: file, line and mend."""
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    for command, given in config.keys.items():
        where = f"{config.sources.get(f'keys.{command}', 'keys')}: "
        if command in FIXED_COMMANDS:
            problems.append(f"{where}the keys of {command} stay: {FIXED_COMMANDS[command]}")
        elif command not in BY_ID:
            problems.append(f"{where}there is no command {shown(command)}; {instead_of(command, _remappable())}")
        else:
            keys = []
            for key in given:
                try:
                    keys.append(_key_for(command, key))
                except ValueError as wrong:
                    problems.append(f"{where}{command} = {shown(key)}: {wrong}")
            if keys:
                found[command] = tuple(dict.fromkeys(keys))
    keymap = Keymap(found)
    for command, other, key, is_default in _clashes(keymap):
        its = "by default " if is_default else ""
        where = f"{config.sources.get(f'keys.{command}', 'keys')}: "
        problems.append(
            f"{where}{written(key)!r} is {command} and {its}{other}; take another key, or give {other} another"
        )
    return keymap, problems


def parse_key(text: str) -> str:
    """Textual's name of a key as people write it; raises `ValueError` with what was perhaps meant."""
    if len(text) == 1:
        return _named(text)
    *modifiers, base = [*text[:-2].split("+"), "+"] if text.endswith("++") else text.split("+")
    modifiers = sorted({_SPELLINGS.get(name.strip().lower(), name.strip().lower()) for name in modifiers})
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            raise ValueError(f"there is no key {modifier!r} to hold; there are {', '.join(_MODIFIERS)}")
    base = base.strip()
    base = _named(base) if len(base) == 1 else _known(base.lower())
    if modifiers == ["shift"] and len(base) == 1:
        return base.upper()
    key = "+".join((*modifiers, base.lower() if modifiers and len(base) == 1 else base))
    return _SAME_KEY.get(key, key)


def written(key: str) -> str:
    """How people write a key that has Textual's name."""
    *modifiers, base = key.split("+")
    return "+".join((*modifiers, _SHORT.get(base) or _character(base) or base))


def _named(character: str) -> str:
    """Textual's name of the key that writes a character."""
    if character == " ":
        return "space"
    if not character.isprintable():
        raise ValueError("that is no key")
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    named = KEY_NAME_REPLACEMENTS.get(name, name or character)
    if _character(named) != character:  # a sign whose name loses a hyphen could not be told in the footer
        raise ValueError(f"there is no such key; {_WHICH_KEYS}")
    return named


def _known(name: str) -> str:
    name = _SPELLINGS.get(name, name)
    if name in _NAMED:
        return name
    if (character := _character(name)) is not None and character.isascii():
        return _named(character)
    from difflib import get_close_matches  # a start without mistakes need not pay for it

    if not name:
        raise ValueError(f"there is no such key; {_WHICH_KEYS}")
    near = get_close_matches(name, [*_NAMED, *_SPELLINGS, *REPLACED_KEYS, *KEY_TO_UNICODE_NAME], 1)
    raise ValueError(f"there is no such key; {f'did you mean {near[0]}?' if near else _WHICH_KEYS}")


def _character(name: str) -> str | None:
    """What a key writes; None for one that writes nothing."""
    return None if name in _NAMED else key_to_character(REPLACED_KEYS.get(name, name))


def _key_for(command: str, text: str) -> str:
    key = parse_key(text)
    if key in _FIXED and key not in _default_keys(BY_ID[command]):
        raise ValueError(f"that key cannot be given away: {_FIXED[key]}")
    return key


def _both_spellings(keys: Iterable[str]) -> list[str]:
    """Terminals tell a capital letter as itself, or as shift and the letter."""
    found = []
    for key in keys:
        found.append(key)
        if len(key) == 1 and key.isupper():
            found.append(f"shift+{key.lower()}")
    return found


def _remappable() -> list[str]:
    return [action.id for action in ACTIONS if action.id not in FIXED_COMMANDS]


def _clashes(keymap: Keymap) -> Iterable[tuple[str, str, str, bool]]:
    """Commands that would be on one key: the one that was given it, the other, the key, whether by default."""
    for place, (command, keys) in enumerate(keymap.keys.items()):
        for other, its_keys in list(keymap.keys.items())[:place]:
            if not _take_turns(command, other):
                yield from ((command, other, key, False) for key in keys if key in its_keys)
        for action in ACTIONS:
            if action.id != command and action.id not in keymap.keys and not _take_turns(command, action.id):
                yield from ((command, action.id, key, True) for key in keys if key in _default_keys(action))


def _take_turns(command: str, other: str) -> bool:
    """The two are never there at the same time."""
    first, second = BY_ID[command], BY_ID[other]
    if not first.page & second.page or {first.where, second.where} == {Where.PRESENT, Where.PAST}:
        return True
    return bool(_default_keys(first) & _default_keys(second))


def _default_keys(action: Action) -> frozenset[str]:
    return frozenset(action.keys.split(","))
