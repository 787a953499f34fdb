"""Paths between wide nets that stay in the sublevel set and in the optimizer's region, and their certificates."""

from modeconn.constructions.cell_bound import BoxWidth, box_width
from modeconn.constructions.cell_path import CellPath, load_cell_path
from modeconn.constructions.connect import connect, connect_pair
from modeconn.constructions.connect_batch import connect_batch
from modeconn.constructions.connection import Connection, WidePath
from modeconn.constructions.dropout import Thinned, dropout_path, thin_net, thinned_net
from modeconn.constructions.functionals import Functionals, functionals_of
from modeconn.constructions.gram_path import GramPath, load_gram_path
from modeconn.constructions.load_path import load_path
from modeconn.constructions.pair import REGION_TOLERANCE, Pair, checked_pair, problem_to_json
from modeconn.constructions.recombination import Recombination, recombine
from modeconn.constructions.registry import CONSTRUCTIONS, Construction, construction_from_name, constructions_for
from modeconn.constructions.spectra import PathSpectra, path_spectra
from modeconn.constructions.wide_region import GRAM_NORMS, Ball, WideRegion, region_from_json, region_from_text

__all__ = [
    "CONSTRUCTIONS",
    "GRAM_NORMS",
    "REGION_TOLERANCE",
    "Ball",
    "BoxWidth",
    "CellPath",
    "Connection",
    "Construction",
    "Functionals",
    "GramPath",
    "Pair",
    "PathSpectra",
    "Recombination",
    "Thinned",
    "WidePath",
    "WideRegion",
    "box_width",
    "checked_pair",
    "connect",
    "connect_batch",
    "connect_pair",
    "construction_from_name",
    "constructions_for",
    "dropout_path",
    "functionals_of",
    "load_cell_path",
    "load_gram_path",
    "load_path",
    "path_spectra",
    "problem_to_json",
    "recombine",
    "region_from_json",
    "region_from_text",
    "thin_net",
    "thinned_net",
]
