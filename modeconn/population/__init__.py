"""Population losses in closed form: expectations over the inputs, with no data drawn."""

from modeconn.population.loss import population_loss
from modeconn.population.relu_kernel import POPULATION_LAWS, relu_correlation
from modeconn.population.sample_loss import sample_loss

__all__ = ["POPULATION_LAWS", "population_loss", "relu_correlation", "sample_loss"]
