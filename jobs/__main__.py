"""`python -m tasklake.jobs` is the `tasklake` command."""

import sys

from tasklake.jobs.cli import main

if __name__ == "__main__":
    sys.exit(main())
