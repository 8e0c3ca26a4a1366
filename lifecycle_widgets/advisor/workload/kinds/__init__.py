"""One file for each kind of file that a workload can be read from."""
