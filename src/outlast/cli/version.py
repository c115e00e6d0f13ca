"""Which Outlast this is."""

from importlib.metadata import version

PROTOCOL_VERSION = "1.32.0"
"""The release of the reference server that it follows; a test holds it equal to the frontend's, which is slow to import."""


def package_version() -> str:
    return version("outlast")
