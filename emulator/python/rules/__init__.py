"""AWS's rules by family of services; importing this package fills the table in `refusals.py`."""

from rules import configuration, data, delivery, discovery, ecs, identity, network, observability, scaling, task_definitions

FAMILIES = (task_definitions, ecs, network, scaling, identity, delivery, data, configuration, discovery, observability)
