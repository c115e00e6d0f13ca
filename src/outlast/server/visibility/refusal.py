"""Why a list filter is refused, in the reference server's words (platform.md 4.4)."""

from outlast.engine.refusals import InvalidArgument


class InvalidQuery(InvalidArgument):
    """The filter cannot be read, or asks for what there is not: the client must change it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid query: {text}")


def malformed(text: str) -> InvalidQuery:
    return InvalidQuery(f"malformed SQL query: {text}")


def unsupported(text: str) -> InvalidQuery:
    return InvalidQuery(f"operation is not supported: {text}")


def invalid(text: str) -> InvalidQuery:
    return InvalidQuery(f"invalid expression: {text}")
