"""Run every benchmark."""

from benchmarks import dkim, mime, startup

startup.main()
print()
mime.main()
print()
dkim.main()
