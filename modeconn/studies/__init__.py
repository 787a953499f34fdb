"""Studies: nets trained at scale, and what lies between them."""

from modeconn.studies.cell import run_rows
from modeconn.studies.connectivity import CONNECTIVITY_PROFILES, ConnectivitySettings, connectivity_study
from modeconn.studies.connectivity_chain import learn_bends
from modeconn.studies.connectivity_nets import DataCase, region_of, train_case
from modeconn.studies.connectivity_samples import PathSamples, sample_path
from modeconn.studies.real_data import StudyResult, real_data_study
from modeconn.studies.settings import HYPERPARAMETERS, STUDY_PROFILES, StudySettings
from modeconn.studies.star_centre import STAR_CENTRE_PROFILES, StarCentreSettings, star_centre_study
from modeconn.studies.star_centre_learning import learn_centre
from modeconn.studies.star_centre_paths import normalised_length

__all__ = [
    "CONNECTIVITY_PROFILES",
    "HYPERPARAMETERS",
    "STAR_CENTRE_PROFILES",
    "STUDY_PROFILES",
    "ConnectivitySettings",
    "DataCase",
    "PathSamples",
    "StarCentreSettings",
    "StudyResult",
    "StudySettings",
    "connectivity_study",
    "learn_bends",
    "learn_centre",
    "normalised_length",
    "real_data_study",
    "region_of",
    "run_rows",
    "sample_path",
    "star_centre_study",
    "train_case",
]
