"""One way leads from text to a widget: as `Content`, which is literal. Any other way is found here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import collab_tui.tui

PACKAGE = Path(collab_tui.tui.__file__).parent
WIDGETS = {
    "Static", "Label", "Button", "Checkbox", "RadioButton", "Collapsible", "Link", "Option", "OptionList", "Select",
    "SelectionList", "Tab", "TabPane", "Tree", "Markdown", "Pretty", "Digits", "Placeholder",
}  # fmt: skip
"""Classes that show what they are made with."""
EDITED = {"Input", "TextArea"}
"""Those that show what they are made with as it is, to be edited."""
METHODS = {
    "notify",
    "update",
    "add_option",
    "add_options",
    "add_row",
    "add_rows",
    "add_column",
    "add_leaf",
    "set_options",
}
"""Methods that show what they are given."""
ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "placeholder", "prompt", "label", "title", "sub_title"}
"""Attributes, and arguments by name, that are shown."""
MARKUP = {"from_markup", "from_rich_text", "from_ansi", "from_text", "escape", "visualize", "Markdown"}
"""What makes something else than literal text of a text."""
CONTENT = {"Content", "Content | None"}
ELSEWHERE = {("safe.py", "notify")}
"""`toast` cleans, cuts and says `markup=False`."""


class Module:
    """One file, and which of its expressions are literal content."""

    def __init__(self, source: str, makers: set[str]) -> None:
        self.tree = ast.parse(source)
        self._makers = makers

    def unsafe(self) -> Iterator[tuple[str, int, str]]:
        """Sink, line and expression of whatever else is shown."""
        for function in [
            self.tree,
            *(n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)),
        ]:
            for node in self._own_nodes(function):
                for sink, shown in _shown(node):
                    if sink in MARKUP or not self._is_literal(shown, function):
                        yield sink, node.lineno, ast.unparse(shown)

    def _own_nodes(self, function: ast.AST) -> Iterator[ast.AST]:
        pending = list(ast.iter_child_nodes(function))
        while pending:
            node = pending.pop()
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node
                pending += ast.iter_child_nodes(node)

    def _is_literal(self, node: ast.expr, function: ast.AST, known: frozenset[str] = frozenset()) -> bool:
        """Our own words, or content."""
        match node:
            case ast.Constant(value=value):
                return not (isinstance(value, str) and "[" in value)
            case ast.Call(func=ast.Attribute(attr=name, value=owner)):
                joins = name == "join" and self._is_literal(owner, function, known)
                return joins or _name(owner) == "Content" or name in self._makers
            case ast.Call(func=ast.Name(id=name)):
                return name == "Content" or name in self._makers
            case ast.IfExp(test=test, body=one, orelse=other) if (
                ast.unparse(test) == f"isinstance({ast.unparse(one)}, Content)"
            ):
                return self._is_literal(other, function, known)
            case ast.IfExp(body=one, orelse=other):
                return all(self._is_literal(part, function, known) for part in (one, other))
            case ast.BoolOp(values=parts):
                return all(self._is_literal(part, function, known) for part in parts)
            case ast.BinOp(left=one, right=other):
                return all(self._is_literal(part, function, known) for part in (one, other))
            case ast.Starred(value=value):
                return self._is_literal(value, function, known)
            case ast.Tuple(elts=[shown, _]):  # what an option says, and its value
                return self._is_literal(shown, function, known)
            case ast.List(elts=parts):
                return all(self._is_literal(part, function, known) for part in parts)
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value):
                return self._is_literal(value, function, known)
            case ast.Name(id=name):
                return name in known or self._is_name_literal(name, function, known | {name})
        return False

    def _is_name_literal(self, name: str, function: ast.AST, known: frozenset[str]) -> bool:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*function.args.args, *function.args.kwonlyargs]
            for argument in arguments:
                if argument.arg == name:
                    return argument.annotation is not None and ast.unparse(argument.annotation) == "Content"
        given = []
        for node in self._own_nodes(function):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
                given += [node.value for target in targets if _name(target) == name]
        return bool(given) and all(self._is_literal(value, function, known) for value in given)


def _name(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _shown(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What this node shows."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES:
                yield target.attr, node.value
    if not isinstance(node, ast.Call):
        return
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else _name(called)
    if name in MARKUP and ast.unparse(called) != "html.escape":
        yield name, node
    is_method = isinstance(called, ast.Attribute) and name in METHODS
    if is_method and name == "update" and ast.unparse(called).endswith("__dict__.update"):
        return
    if name in WIDGETS or is_method:
        yield from ((name, argument) for argument in node.args)
    if name in WIDGETS | EDITED or is_method:
        yield from ((f"{name} {word.arg}", word.value) for word in node.keywords if word.arg in ATTRIBUTES)


def makers(sources: dict[str, str]) -> set[str]:
    """Functions that give content, or widgets' options made of it, by their annotation."""
    found = set()
    for source in sources.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) in CONTENT:
                found.add(node.name)
    return found


def unsafe(sources: dict[str, str]) -> list[str]:
    known = makers(sources)
    return [
        f"{name}:{line}: {sink} shows {shown}"
        for name, source in sources.items()
        for sink, line, shown in Module(source, known).unsafe()
        if (name, sink) not in ELSEWHERE
    ]


def test_whatever_a_widget_shows_is_literal() -> None:
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert len(sources) > 20
    assert unsafe(sources) == []


@pytest.mark.parametrize(
    "statement",
    [
        "Static(event.text('message'))",
        "Static(f'{event.agent} waits')",
        "Static(words(event.agent))",
        "Label('[b]' + name)",
        "Static(content(spans) if spans else name)",
        "self.query_one('#place', Static).update(told)",
        "self.app.notify(text)",
        "box.border_title = agent.name",
        "OptionList(*[agent.name for agent in agents])",
        "options.add_option(name)",
        "Button(name)",
        "Input(placeholder=name)",
        "Static(Content.from_markup(name))",
        "widget.tooltip = f'{name}'",
        "Select([(name, name)])",
    ],
)
def test_any_other_way_is_found(statement: str) -> None:
    assert unsafe({"x.py": f"def show(self, event, name, told: str):\n    {statement}\n"})


@pytest.mark.parametrize(
    "statement",
    [
        "Static('nothing odd was found')",
        "Static(Content(name))",
        "Static(Content.styled(name, 'bold'))",
        "Static(content(spans))",
        "told = Content(name)\n    widget.update(told)",
        "box.border_title = Content(name) if name else ''",
        "Button('Send', id=name)",
        "OptionList(*(Content(label) for label in labels))",
    ],
)
def test_literal_content_is_not(statement: str) -> None:
    source = f"def content(spans) -> Content: ...\n\ndef show(self, name, spans, labels):\n    {statement}\n"
    assert unsafe({"x.py": source}) == []
