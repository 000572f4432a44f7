"""Runs ONNX files on kept inputs, in any onnxruntime: a program of its own that imports no more.

For each NAME.onnx of a folder it takes NAME.0.npz, NAME.1.npz ... and writes NAME.0.said.npz ...
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime


def main(folder: Path, to: Path) -> None:
    for path in sorted(folder.glob("*.onnx")):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        names = [tensor.name for tensor in session.get_outputs()]
        for inputs in sorted(folder.glob(f"{path.stem}.*.npz")):
            feeds = dict(np.load(inputs))
            # Said before: a runtime that ends the program tells nothing.
            sys.stdout.write(f"onnxruntime {onnxruntime.__version__}: {inputs.name}\n")
            sys.stdout.flush()
            np.savez(to / inputs.name, **dict(zip(names, session.run(names, feeds), strict=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
