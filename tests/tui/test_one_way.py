"""One way leads from text to a widget: as `Content`, which is literal. Any other way is found here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual.widgets

import collab_tui.tui

PACKAGE = Path(collab_tui.tui.__file__).parent
EDITED = {"Input", "MaskedInput", "TextArea"}
"""Widgets that show what they are made with as it is, to be edited: their first argument, and `value` or `text`."""
WIDGETS = {*textual.widgets.__all__, "Option", "Selection"} - EDITED - {"Header"}
"""Classes that may show what they are made with. `Header` is ours, and paints spans."""
UNSEEN = {"id", "name", "classes", "disabled", "variant", "action"}
"""Arguments of any of them that are never shown."""
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
ATTRIBUTES = {
    "border_title", "border_subtitle", "tooltip", "placeholder", "prompt", "label", "title", "sub_title", "content",
    "renderable", "visual",
}  # fmt: skip
"""Attributes that are shown, and arguments of methods by name."""
SOME_ARGUMENTS = {
    "Binding": (slice(2, 3), {"description", "key_display", "tooltip"}),
    "SystemCommand": (slice(0, 2), {"title", "help"}),
    "exit": (slice(2, 3), {"message"}),
}
"""What shows some of its arguments: those by place, and those by name."""
RAW = re.compile(r"(^|\.)(print|_write_raw|copy_to_clipboard|open_url)$|(_driver|std(out|err)(__)?)\.write$")
"""What writes past the screen, to the terminal or out of it."""
RAW_OWNERS = {"title.py", "notifying.py"}
"""Modules that are given the app's raw writer, as `self._write`."""
MARKUP = {"from_markup", "from_rich_text", "from_ansi", "from_text", "escape", "visualize", "Markdown"}
"""What makes something else than literal text of a text."""
CONTENT = {"Content", "Content | None"}
LITERAL = {"Content", "Text"}
"""What is made of a text by its name alone; `rich.text.Text` is literal too, and what a `Select` can search."""
ELSEWHERE = {
    ("safe.py", "notify", "cut(words(clean(text)), 300)"),  # which says `markup=False`
    ("safe.py", "notify title", "cut(words(clean(title)), 100)"),  # which a toast makes no markup of
    ("app.py", "SystemCommand", "action.title"),
    ("app.py", "SystemCommand", "f'key {key}'"),
    ("actions.py", "Binding", "action.title"),
    ("screens/request.py", "Binding", "f'Option {number}'"),
    ("widgets/log.py", "Binding", "what"),
    ("app.py", "raw", "self._driver.write(text)"),
    (
        "app.py",
        "raw",
        "Caller(config, self.attention, self._show_call, self._write_raw, os.environ, NewerRules(path))",
    ),
    ("app.py", "raw", "sys.__stderr__.write(GIVE_BACK)"),
    ("title.py", "raw", "self._write(f'{keep}\\x1b]0;{title}\\x07')"),
    (
        "notifying.py",
        "raw",
        "self._write(_BELL if self._how == Notifications.BELL else self._sequence(_with_old_ones(called, there)))",
    ),
}
"""Where, by which sink, what: words of our own that come by a name, and all that is written past the screen."""


class Module:
    """One file, and which of its expressions are literal content."""

    def __init__(self, source: str, makers: set[str], *, owns_raw: bool) -> None:
        self.tree = ast.parse(source)
        self._makers = makers
        self._owns_raw = owns_raw

    def unsafe(self) -> Iterator[tuple[str, int, str]]:
        """Sink, line and expression of whatever else is shown."""
        for function in [
            self.tree,
            *(n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)),
        ]:
            for node in self._own_nodes(function):
                for written in _written(node, self._owns_raw):
                    yield "raw", node.lineno, ast.unparse(written)
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
                return name in LITERAL or name in self._makers
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
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
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
    if name == "setattr" and (not isinstance(node.args[1], ast.Constant) or node.args[1].value in ATTRIBUTES):
        yield name, node.args[2]
    if name in SOME_ARGUMENTS:
        places, names = SOME_ARGUMENTS[name]
        yield from ((name, argument) for argument in node.args[places])
        yield from ((name, word.value) for word in node.keywords if word.arg in names)
    if name in WIDGETS or is_method:
        yield from ((name, argument) for argument in node.args)
    if name in EDITED:
        yield from ((name, argument) for argument in node.args[1:])
    for word in node.keywords:
        is_shown = word.arg in ATTRIBUTES if is_method else word.arg not in UNSEEN
        is_edited = name in EDITED | {"Select"} and word.arg in ("value", "text")
        if (name in WIDGETS | EDITED or is_method) and is_shown and not is_edited:
            yield f"{name} {word.arg}", word.value


def _written(node: ast.AST, owns_raw: bool) -> Iterator[ast.expr]:
    """What this node writes past the screen, or gives away by which that can be done."""

    def is_raw(part: ast.expr | None) -> bool:
        told = ast.unparse(part) if isinstance(part, ast.Name | ast.Attribute) else ""
        return bool(RAW.search(told)) or (owns_raw and told == "self._write")

    if isinstance(node, ast.Call):
        if any(map(is_raw, (node.func, *node.args, *(word.value for word in node.keywords)))):
            yield node
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value is not None and is_raw(node.value):
        yield node.value


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
        for sink, line, shown in Module(source, known, owns_raw=name in RAW_OWNERS).unsafe()
        if (name, sink, shown) not in ELSEWHERE
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
        "Static(content=name)",
        "Static(renderable=name)",
        "Collapsible(title=name)",
        "Tooltip(name)",
        "ListItem(name)",
        "ListItem(Label(name))",
        "DataTable(name)",
        "Sparkline(name)",
        "Input('', name)",
        "TextArea(told, tooltip=name)",
        "widget.border_title += name",
        "widget.border_title: str = name",
        "widget.content = name",
        "widget.visual = name",
        "setattr(widget, 'tooltip', name)",
        "setattr(widget, kind, name)",
        "self.app.sub_title = event.agent",
        "SystemCommand(name, 'what it does', run)",
        "SystemCommand('Do it', help=name, callback=run)",
        "Binding('a', 'act', name)",
        "Binding('a', 'act', 'Act', tooltip=name)",
        "self.app.exit(message=name)",
        "self.app.exit(None, 1, name)",
        "self.app._driver.write(name)",
        "write = self.app._driver.write",
        "self.app._write_raw(name)",
        "helper(self.app._write_raw)",
        "return self.app._write_raw",
        "self.app.copy_to_clipboard(name)",
        "self.app.open_url(name)",
        "print(name)",
        "print('plain')",
        "sys.stdout.write(name)",
        "sys.__stderr__.write(name)",
    ],
)
def test_any_other_way_is_found(statement: str) -> None:
    assert unsafe({"x.py": f"def show(self, event, name, told: str):\n    {statement}\n"})


@pytest.mark.parametrize("module", sorted(RAW_OWNERS))
def test_an_owner_of_the_raw_writer_writes_nothing_else_with_it(module: str) -> None:
    assert unsafe({module: "def show(self, name):\n    self._write(name)\n"})
    assert unsafe({"app.py": "def show(self, name):\n    self._write_raw(name)\n"})


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
        "Static(content=Content(name))",
        "Input(value=name)",
        "TextArea(name, id=name)",
        "widget.border_title += Content(name)",
        "setattr(widget, 'tooltip', Content(name))",
        "setattr(widget, 'draft', name)",
        "self.app.exit(return_code=code)",
        "self.app.exit(name)",
        "Binding(key, f'choose({key})', 'Choose', show=False, id=name)",
        "file.write(name)",
    ],
)
def test_literal_content_is_not(statement: str) -> None:
    source = f"def content(spans) -> Content: ...\n\ndef show(self, name, spans, labels):\n    {statement}\n"
    assert unsafe({"x.py": source}) == []
