"""The Yogi optimizer, which torch does not have."""

import torch


class Yogi(torch.optim.Optimizer):
    """Adam with an additive second moment (Zaheer et al., 2018).

    Parameters
    ----------
    params : iterable of tensors
        What is optimized.
    lr : float, default=0.01
        Learning rate.
    betas : tuple of float, default=(0.9, 0.999)
        Decay of the first and the second moment.
    eps : float, default=1e-3
        Added to the root of the second moment.
    """

    def __init__(self, params, lr=0.01, betas=(0.9, 0.999), eps=1e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        """Make one step."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"] = torch.tensor(0.0)
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                state["step"] += 1
                t, m, v = state["step"].item(), state["exp_avg"], state["exp_avg_sq"]
                square = p.grad**2
                m.lerp_(p.grad, 1 - beta1)
                v.sub_((1 - beta2) * torch.sign(v - square) * square)
                root = (v / (1 - beta2**t)).sqrt_().add_(group["eps"])
                p.addcdiv_(m, root, value=-group["lr"] / (1 - beta1**t))
