"""A scoring process by itself: scores everybody once, prints how many it wrote and the most memory it ever held, in KiB."""

import os
import resource
import sys
from datetime import datetime

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
django.setup()

from health import assessments  # noqa: E402

if __name__ == "__main__":
    run = assessments.assess(at=datetime.fromisoformat(sys.argv[1]))
    print(run.changed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
