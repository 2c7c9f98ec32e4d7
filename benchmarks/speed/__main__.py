"""The command; one thread per process is set before numpy is loaded."""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

from .cli import main  # noqa: E402 - it loads numpy

if __name__ == "__main__":
    main()
