"""Norm balls and their products: the regions that optimizers with weight decay solve their problem in."""

from modeconn.regions.norm import NORMS, Norm, norm_from_name
from modeconn.regions.region import Region, leaf_names
from modeconn.regions.singular import partial_isometry, thin_svd

__all__ = ["NORMS", "Norm", "Region", "leaf_names", "norm_from_name", "partial_isometry", "thin_svd"]
