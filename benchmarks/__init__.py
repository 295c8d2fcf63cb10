"""What `make bench` runs: one module for each question (`questions/`), our stack and the stock Dagster instance, the report."""
