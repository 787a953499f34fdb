"""Capacity of an optimizer's region: the least radius that fits the data, and how two regions meet, all certified."""

from modeconn.capacity.attainable import AttainableLoss, attainable_loss
from modeconn.capacity.axes import geometric_axis, natural_axes
from modeconn.capacity.box import BoxGauge, least_box, least_gauge_sum
from modeconn.capacity.dual import Dual, dual_certificate, round_dual, unattainable_dual
from modeconn.capacity.example import example_system
from modeconn.capacity.inclusion import InclusionFacts, inclusion_facts
from modeconn.capacity.least_radius import Capacity, least_radius, loose_bound
from modeconn.capacity.meeting import Meeting, common_point, copies_needed, meeting, meeting_net
from modeconn.capacity.net import ExactNet, ExactNeuron, ball_json
from modeconn.capacity.neuron_types import NeuronType, TypeSystem, type_system
from modeconn.capacity.phase_diagram import VERDICTS, PhaseCell, PhaseDiagram, phase_diagram
from modeconn.capacity.phase_facts import CertifiedFact

__all__ = [
    "VERDICTS",
    "AttainableLoss",
    "BoxGauge",
    "Capacity",
    "CertifiedFact",
    "Dual",
    "ExactNet",
    "ExactNeuron",
    "InclusionFacts",
    "Meeting",
    "NeuronType",
    "PhaseCell",
    "PhaseDiagram",
    "TypeSystem",
    "attainable_loss",
    "ball_json",
    "common_point",
    "copies_needed",
    "dual_certificate",
    "example_system",
    "geometric_axis",
    "inclusion_facts",
    "least_box",
    "least_gauge_sum",
    "least_radius",
    "loose_bound",
    "meeting",
    "meeting_net",
    "natural_axes",
    "phase_diagram",
    "round_dual",
    "type_system",
    "unattainable_dual",
]
