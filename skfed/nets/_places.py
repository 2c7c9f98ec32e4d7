"""Where a module keeps its parameters and buffers."""

from weakref import WeakKeyDictionary

_KNOWN: WeakKeyDictionary = WeakKeyDictionary()


def places(module):
    """Return ``{name: (dict, key)}`` of a module's parameters and buffers, found once.

    The tensor is ``dict[key]``, also after the module has put another one there.
    """
    if module not in _KNOWN:
        found = {}
        for prefix, layer in module.named_modules():
            for own in (layer._parameters, layer._buffers):
                for key in own:
                    found[f"{prefix}.{key}" if prefix else key] = own, key
        kept = module.state_dict()
        _KNOWN[module] = (
            {n: found[n] for n in kept} if kept.keys() <= found.keys() else {}
        )
    return _KNOWN[module]
