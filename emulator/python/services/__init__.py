"""What moto lacks, one module for a family of services. `fakes.py` lists what each function is for."""
