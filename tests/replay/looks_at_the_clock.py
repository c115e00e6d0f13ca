"""Looks at the clock when it is imported."""

import time

IMPORTED_AT = time.time()
