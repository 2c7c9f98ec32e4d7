"""Which parameters of a net are its head."""

from ..exceptions import ClientError


def last_layer(net, n_inputs, head):
    """Return the names of the parameters behind the representation.

    As :func:`head_parameters`, but for the weights of a skip connection, which read the
    columns and not what the body makes of them; a net without a body has no others.
    """
    found = head_parameters(net, n_inputs, head)
    if head is not None:
        return found
    from ..nets._prototype import input_parameters

    behind = found - set(input_parameters(net, n_inputs))
    named = dict(net.module_.named_parameters())
    return behind if any(named[name].ndim > 1 for name in behind) else found


def head_parameters(net, n_inputs, head):
    """Return the names of the head's parameters.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    n_inputs : int
        Its input columns.
    head : list of str or None
        Names of parameters or of layers; None finds those behind which no other stands.
    """
    from ..nets._parts import all_parameters, output_parameters

    known = all_parameters(net)
    if head is None:
        return output_parameters(net, n_inputs)
    found = set()
    for layer in head:
        here = {n for n in known if n == layer or n.startswith(layer + ".")}
        if not here:
            raise ClientError(
                f"head names {layer!r}, but the net's parameters are {sorted(known)}"
            )
        found |= here
    return frozenset(found)
