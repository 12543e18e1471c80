"""Shared settings: one hypothesis profile for all tests, one BLAS thread for each worker."""

import os
import signal

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # jobs in the background; commands that tests start inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("attnc", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("attnc")
