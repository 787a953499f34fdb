"""modeconn: verify theory about mode connectivity with exact numbers and checked certificates."""

__version__ = "0.1.0"
