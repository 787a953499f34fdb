"""Reports: the page, the manifest, the folder of a run."""

from modeconn.report.html import render_report
from modeconn.report.manifest import manifest
from modeconn.report.run_folder import csv_text, write_run

__all__ = ["csv_text", "manifest", "render_report", "write_run"]
