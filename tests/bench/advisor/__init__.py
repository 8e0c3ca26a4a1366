"""Figures of the advisor: its quality, its speed, and its simulator beside a real server."""
