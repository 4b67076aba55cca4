"""Errors of a user's are one line."""


def one_line(caught) -> str:
    """The message of an exception that pytest has caught, which must be one line."""
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text
