"""The loss of one net and its gradient, laid out so that a batch of nets needs no transposes of activations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.losses import Loss
from modeconn.nets import Net

__all__ = ["loss_and_gradient", "loss_value"]


def _forward(net: Net, X: Float[Array, "n d"]) -> tuple[Float[Array, "m n"], Float[Array, "m n"], Float[Array, "n c"]]:
    """Return pre-activations and activations, one row a neuron, and the predictions."""
    P = jnp.einsum("dm,nd->mn", net.W, X)
    if net.b is not None:
        P = P + net.b[:, None]
    H = jnp.maximum(P, 0)
    F = jnp.sum(H, axis=0)[None] if net.A is None else jnp.einsum("cm,mn->cn", net.A, H)
    return P, H, F.T


def loss_value(loss: Loss, net: Net, X: Float[Array, "n d"], Y: Float[Array, "n c"]) -> Float[Array, ""]:
    """Return L(theta) = ell(f(X))."""
    return loss.value(_forward(net, X)[2], Y)


def loss_and_gradient(
    loss: Loss, net: Net, X: Float[Array, "n d"], Y: Float[Array, "n c"]
) -> tuple[Float[Array, ""], Net]:
    """Return L(theta) and its gradient, with relu'(0) = 0 as JAX has it. Cost 2 n m (d + c) multiplications.

    Activations are (m, n): under ``vmap`` over nets with common data, X W and X^T dP are each one plain product of
    matrices, whose rows are the neurons of all nets. The barrier keeps the compiler from merging the transpose of the
    second one into the product, where it costs a factor of two and makes the rounding of a net depend on how many
    nets run beside it. A neuron with zero weights gets an exactly zero gradient.
    """
    P, H, F = _forward(net, X)
    R = loss.gradient(F, Y).T
    if net.A is None:
        dA, dH = None, jnp.broadcast_to(R, H.shape)
    else:
        dA, dH = jnp.einsum("cn,mn->cm", R, H), jnp.einsum("cm,cn->mn", net.A, R)
    dP = jnp.where(P > 0, dH, 0)
    dW = jax.lax.optimization_barrier(jnp.einsum("mn,nd->md", dP, X)).T
    return loss.value(F, Y), Net(dW, dA, None if net.b is None else jnp.sum(dP, axis=1))
