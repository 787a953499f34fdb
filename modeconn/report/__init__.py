"""Reports: the page, the manifest."""

from modeconn.report.html import render_report
from modeconn.report.manifest import environment, manifest, sha256_of

__all__ = ["environment", "manifest", "render_report", "sha256_of"]
