"""Real agent CLIs without their makers: a stand-in of the model APIs on loopback, which answers by a script.

    model = StandIn([Call("Bash", {"command": "touch x"}), Say("done")])
    with model.serving():
        done = claude.prompt("go", model, cwd=project)
    assert model.results == ["..."]          # what the tools gave back, as the model got it

The fixtures `claude` and `codex` are in `tests.stand_in.fixtures`; they skip where the CLI is not installed.
"""
