"""Studies: nets trained at scale, and what lies between them."""

from modeconn.studies.cell import run_rows
from modeconn.studies.real_data import StudyResult, real_data_study
from modeconn.studies.settings import HYPERPARAMETERS, STUDY_PROFILES, StudySettings

__all__ = ["HYPERPARAMETERS", "STUDY_PROFILES", "StudyResult", "StudySettings", "real_data_study", "run_rows"]
