"""Places of files: paths of this machine, and URLs of others."""

from rootflow.places.place import Place, Remote, place_of, shown

__all__ = ["Place", "Remote", "place_of", "shown"]
