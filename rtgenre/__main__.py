"""``python -m rtgenre`` is the same as the command ``rtgenre``."""

import sys

from rtgenre.cli import main

sys.exit(main())
