"""A driver that kills itself right before or right after its n-th commit: `driver.py before|after N WORDS…`."""

import os
import signal
import sys

from tasklake.jobs.cli import main
from tasklake.jobs.lake import Lake

when, number = sys.argv[1], int(sys.argv[2])
commit = Lake._commit
commits = 0


def deadly(self, table, news):
    """The real commit, and death beside the chosen one."""
    global commits
    commits += 1
    if commits == number and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self, table, news)
    if commits == number:
        os.kill(os.getpid(), signal.SIGKILL)


Lake._commit = deadly
sys.exit(main(sys.argv[3:]))
