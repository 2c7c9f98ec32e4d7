"""The tasks of a fit at a client, by name; without their code, which loads torch."""

# what a server may ask of a client, in the order of a fit
TASK_NAMES = (
    "introduce",
    "prepare",
    "describe",
    "align",
    "train",
    "settle_in",
    "evaluate",
    "restore",
    "split",
    "hold_out",
    "finish",
    "own_models",
    "weigh",
    "moments",
    "keep",
)
