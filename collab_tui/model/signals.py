"""What the hooks of an agent's program tell the session that it runs in: short lines in a file of that session.

The session sees its program only from outside; here the program itself says when it took a prompt, and when its turn is
over. `ours.SIGNALS` names the file, and where it is not set nothing is told.
"""

from __future__ import annotations

import hashlib
import re

BEGAN = "began"
PROMPTED = "prompted"
"""`digest` tells of what."""
ASKS = "asks"
"""It waits for a permission."""
WAITS = "waits"
"""It waits for words, or a choice."""
WORKS = "works"
"""It goes on: what it waited for was given."""
STOPPED = "stopped"
"""Its turn is over; `text` is what it said last."""
BROKE = "broke"
"""Its turn ended with an error, which `text` tells."""
INTERRUPTED = "interrupted"
ENDED = "ended"
ENDS = (STOPPED, BROKE, INTERRUPTED)

MAX_TEXT = 60_000
"""Characters of a text in a line, the last ones; how many are left out stands before them."""
MAX_FILE = 4 << 20
"""Bytes of the file; then it becomes `NAME.1`, and another is begun."""


def digest(prompt: str) -> str:
    """64 hex digits by which a prompt is known again, however the program broke its lines or marked what was pasted."""
    words = re.sub(r"</?pasted_content[^>]*>", " ", prompt).split()
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()
