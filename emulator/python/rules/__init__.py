"""AWS's rules by family of services; importing this package fills the table in `refusals.py`."""

from rules import ecs, network, others

FAMILIES = (ecs, network, others)
