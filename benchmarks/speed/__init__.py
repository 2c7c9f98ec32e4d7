"""How long a round of federated averaging takes, beside a plain loop and others."""
