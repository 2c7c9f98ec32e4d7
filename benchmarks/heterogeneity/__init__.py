"""What heterogeneity does to federated learning, measured dial by dial.

``python -m benchmarks.heterogeneity`` deals simulated and real tables to clients that
differ in one way, or in all, and scores every method on the same held-out rows.
``--help`` has the options, ``--plan`` the cells and the time they take.
"""
