"""The families of instances, one a module; see :data:`modeconn.campaigns.FAMILIES`."""
