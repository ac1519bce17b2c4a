"""How a value is quoted inside a parameter text, and unquoted again (the webui's rule)."""

import json

Value = str | int | float | bool | None


def quote(value: Value) -> Value:
    """Quote `value` as JSON when a comma, colon or newline would make it ambiguous; anything but text passes as it is."""
    if not isinstance(value, str) or not any(mark in value for mark in ",:\n"):
        return value
    return json.dumps(value, ensure_ascii=False)


def unquote(text: str) -> str:
    """Undo `quote`. Text that is not a JSON string is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
