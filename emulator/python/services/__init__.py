"""Behavior that moto lacks, a module for each family of services. `fakes.py` lists the purpose of each function."""
