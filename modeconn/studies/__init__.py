"""Studies: nets trained at scale, and what lies between them."""

from modeconn.studies.cell import run_rows
from modeconn.studies.real_data import StudyResult, real_data_study
from modeconn.studies.settings import HYPERPARAMETERS, STUDY_PROFILES, StudySettings
from modeconn.studies.star_centre import STAR_CENTRE_PROFILES, StarCentreSettings, star_centre_study
from modeconn.studies.star_centre_learning import learn_centre
from modeconn.studies.star_centre_paths import normalised_length

__all__ = [
    "HYPERPARAMETERS",
    "STAR_CENTRE_PROFILES",
    "STUDY_PROFILES",
    "StarCentreSettings",
    "StudyResult",
    "StudySettings",
    "learn_centre",
    "normalised_length",
    "real_data_study",
    "run_rows",
    "star_centre_study",
]
