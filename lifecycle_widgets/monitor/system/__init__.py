"""What a system tells of its processes, memory, CPU and disks, read so that it costs little."""
