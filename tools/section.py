"""A part of a document that is drawn from the code, between two marks."""


def with_section(text: str, begin: str, end: str, content: str) -> str:
    """The text with what stands between its marks replaced."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{content}\n{end}{after}"
