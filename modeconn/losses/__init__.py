"""Convex losses of the prediction: value, gradient, domain of the targets."""

from modeconn.losses.loss import LOSSES, Loss, loss_from_name, net_loss

__all__ = ["LOSSES", "Loss", "loss_from_name", "net_loss"]
