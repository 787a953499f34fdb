"""Two-layer ReLU nets: parameters, predictions, function-preserving maps, teachers, initialisations."""

from modeconn.nets.net import (
    Net,
    check_net,
    fold_bias,
    output_weights,
    preactivations,
    predict,
    width,
    with_bias_column,
)

__all__ = ["Net", "check_net", "fold_bias", "output_weights", "preactivations", "predict", "width", "with_bias_column"]
