"""The commands, one file each; each imports what it needs when it runs."""

import time

STARTED = time.time() - time.process_time()
"""When this process started, in seconds since the epoch, or a little later."""
