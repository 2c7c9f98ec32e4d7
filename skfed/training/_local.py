"""A client's local steps: the one training loop."""

import contextlib
import threading

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ..exceptions import ClientError
from ..nets._stock import trains_plainly

ONE_AT_A_TIME = threading.Lock()
_INSIDE = threading.local()


def local_epochs(net, Z, target, epochs, rng, batch_size=None, batch=None):
    """Train a net in place on one client's rows with a fresh optimizer.

    Batches are slices of one permutation per epoch, drawn from ``rng``; each goes
    through the net's own ``train_step``, so that its loss, its optimizer and its
    gradient callbacks are the user's. Where that is skorch's and nobody watches, its
    few calls are made here, without what skorch wraps around them.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net, its weights loaded.
    Z : tensor of shape (n, q)
        Aligned rows.
    target : tensor of shape (n,) or (n, 1)
        Class codes or scaled targets.
    epochs : int
        Passes over the rows.
    rng : numpy.random.Generator
        Order of the rows.
    batch_size : int, default=None
        Rows of a batch, negative is all; None is the net's.
    batch : list, default=None
        Filled with the positions of each batch's rows while it trains.

    Returns
    -------
    loss : float
        Mean loss of the last epoch, per row.
    n_steps : int
        Optimizer steps.
    """
    plain = trains_plainly(net)
    if plain:
        net.initialize_optimizer()  # else moments leak from client to client
        if not net.module_.training:
            net._set_training(True)
    else:
        net._initialize_optimizer()
    n = len(Z)
    size = net.batch_size if batch_size is None else batch_size
    cuts = batch_sizes(n, size, net.module_)
    losses: list = []
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(n)).to(Z.device)
        losses = []
        batches = (part.split(cuts) for part in (Z[order], target[order], order))
        for Z_b, target_b, rows in zip(*batches, strict=True):
            if batch is not None:
                batch[:] = [rows]
            if plain:
                net.optimizer_.zero_grad()
                loss = net.get_loss(net.infer(Z_b), target_b, X=Z_b, training=True)
                loss.backward()
                net.optimizer_.step()
            else:
                loss = net.train_step((Z_b, target_b))["loss"]
            losses.append((loss, len(rows)))
    mean = sum(_summed(net, float(loss.detach()), rows) for loss, rows in losses) / n
    return mean, epochs * len(cuts)


def batch_sizes(n, size, module):
    """Return the batches' rows; batch normalisation gets no batch of a single row.

    A negative ``size`` is one batch of all rows.
    """
    size = n if size < 0 else size
    cuts = [min(size, n - start) for start in range(0, n, size)]
    if cuts[-1] == 1 and any(isinstance(m, _BatchNorm) for m in module.modules()):
        if n == 1:
            raise ClientError(
                "batch normalisation cannot train on a single row: leave the client "
                "out, or use layer normalisation in the net"
            )
        cuts[-2:] = [cuts[-2] + 1]
    return cuts


def evaluate(net, Z, target):
    """Return the summed loss of a net on rows, in evaluation mode."""
    net.module_.eval()
    with torch.inference_mode():
        loss = net.get_loss(net.infer(Z), target, X=Z, training=False)
    return _summed(net, float(loss), len(Z))


def _summed(net, loss, n):
    """Return the sum over ``n`` rows of a loss as the net's criterion reduces it."""
    return loss if getattr(net.criterion_, "reduction", "mean") == "sum" else loss * n


@contextlib.contextmanager
def quiet_torch():
    """One torch thread, and torch's global generators put back afterwards.

    One thread is both faster on small batches and the condition under which the
    same seed gives the same bits on every federation. Threads take turns, since they
    share torch's generator.
    """
    if getattr(_INSIDE, "quiet", False):
        yield
        return
    with ONE_AT_A_TIME:
        threads = torch.get_num_threads()
        if threads != 1:
            torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                _INSIDE.quiet = True
                yield
        finally:
            _INSIDE.quiet = False
            if threads != 1:
                torch.set_num_threads(threads)


def seed_torch(seed):
    """Seed the generators that a client's net draws from.

    ``torch.manual_seed`` formats a stack trace for every kind of device that is
    absent, which costs as much as a training step.
    """
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def client_generator(seed, round, client):
    """Return the generator of a client's round.

    It is that of ``default_rng((seed, round, client))``, which takes longer to make.
    """
    words = np.array([seed, round, client], dtype=np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def client_torch_seed(seed, round, client):
    """Return the seed of what a net draws in a client's round."""
    sequence = np.random.SeedSequence((seed, round, client))
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)
