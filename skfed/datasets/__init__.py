"""Data of clients that do not match: real tables, and dials of heterogeneity."""

from ._birth_weight import load_birth_weight
from ._breast_trials import load_breast_trials
from ._doctor_visits import load_doctor_visits
from ._heterogeneous import make_heterogeneous_clients
from ._house_prices import load_house_prices
from ._opt_clinics import load_opt_clinics
from ._school_districts import load_school_districts
from ._schools import load_schools
from ._stackoverflow import load_stackoverflow
from ._wages import load_wages

__all__ = [
    "load_birth_weight",
    "load_breast_trials",
    "load_doctor_visits",
    "load_house_prices",
    "load_opt_clinics",
    "load_school_districts",
    "load_schools",
    "load_stackoverflow",
    "load_wages",
    "make_heterogeneous_clients",
]
