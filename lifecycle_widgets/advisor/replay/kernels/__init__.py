"""What is done for each of many gaps, compiled by numba, and by several threads."""
