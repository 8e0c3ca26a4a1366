"""The figures of a class: what one student takes in each lesson, and 30 kernels at once."""
