"""Run every benchmark."""

from benchmarks import startup

startup.main()
