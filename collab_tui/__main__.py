"""`python -m collab_tui` is `collab-tui`: how it starts itself."""

import sys

from collab_tui.cli.main import run

if __name__ == "__main__":
    sys.argv[0] = "collab-tui"
    run()
