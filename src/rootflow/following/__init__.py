"""Following the jobs of runs, so that the runs say what is true.

One process follows all jobs whose runs are kept in one folder: `python -m rootflow.following`.
It knows nothing of MLflow. What happens it hands to another program, the teller, which lives
only as long as there is something to tell. Who submits hands the job over by a file, and starts
the process where none is at work; so does every later command, where it was killed.
"""

from rootflow.following.records import Ending, Followed, find, follow, hand_over, resume

__all__ = ["Ending", "Followed", "find", "follow", "hand_over", "resume"]
