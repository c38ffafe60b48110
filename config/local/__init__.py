"""What exists only on a developer's machine: the launcher behind `make run`, the demo, and their like."""
