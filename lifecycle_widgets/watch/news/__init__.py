"""What has happened at a server, as news."""
