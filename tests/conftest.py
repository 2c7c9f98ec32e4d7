import os

# before numpy and torch start their threads: the machines of a test run are small,
# and worker processes each would start as many
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import settings  # noqa: E402 - threads are set before

# the same examples in every run, few enough for a quick suite; a slow machine is no
# failure. HYPOTHESIS_PROFILE=thorough looks further.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
