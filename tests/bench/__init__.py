"""The measurements of BENCHMARKS.md: `python -m tests.bench [target ..]`, on a database that may be thrown away."""
