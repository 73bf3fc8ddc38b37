"""Run every benchmark."""

from benchmarks import dkim, startup

startup.main()
print()
dkim.main()
