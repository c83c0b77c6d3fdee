"""Set up the process before anything imports TensorFlow or matplotlib."""

import os

# One thread each: two pytest workers share two cores, and results are the same
# on any machine.
for _name, _value in {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
}.items():
    os.environ.setdefault(_name, _value)

from hypothesis import settings  # noqa: E402  (after the process is set up)

# The same examples in every run, however slow the machine is at that moment.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
