"""Messages inside messages: a step that is made of steps prefixes their keys."""


def packed(prefix, message):
    """Return the message with every key prefixed."""
    return {f"{prefix}:{key}": value for key, value in message.items()}


def unpacked(prefix, message):
    """Return the part of the message that :func:`packed` put under the prefix."""
    start = f"{prefix}:"
    return {
        key[len(start) :]: value
        for key, value in message.items()
        if key.startswith(start)
    }
