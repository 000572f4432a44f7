#!/usr/bin/env bash
# tf2onnx 1.17.0 (TensorFlow 2.21.0, Keras 3.15.1): the same network gives another file each time.
#
# Three dense layers and an attention among them, of one seed, are converted in six processes that
# all have PYTHONHASHSEED=0. Nodes that do the same for several layers are merged under the name of
# one of them, which and in what order differs from process to process: so do the bytes and the
# SHA-256 of the file. Weights, operations and answers are the same to the last bit. A checksum
# tells files apart, not models: compare answers, or graphs without names and order.
#
# Output seen:
#   six different SHA-256, one set of operations, one set of answers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat >"$folder/convert.py" <<'PYTHON'
import hashlib
from collections import Counter

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
import tf2onnx
from keras import layers, ops

keras.utils.set_random_seed(1)
ours, others = keras.Input((4, 8), name="ours"), keras.Input((4, 8), name="others")
query = layers.Dense(8, name="query")(ours)
key, value = (layers.Dense(8, name=name)(others) for name in ("key", "value"))
likeness = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 2, 1))))
network = keras.Model({"ours": ours, "others": others}, ops.matmul(likeness, value))

signature = [tf.TensorSpec((None, 4, 8), name=name) for name in ("ours", "others")]
function = tf.function(lambda ours, others: network({"ours": ours, "others": others}))
proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=18)
content = proto.SerializeToString()
numbers = np.random.default_rng(1).normal(size=(2, 5, 4, 8)).astype(np.float32)
session = onnxruntime.InferenceSession(content)
(answer,) = session.run(None, {"ours": numbers[0], "others": numbers[1]})
operations = sorted(Counter(node.op_type for node in proto.graph.node).items())
for text in (content, str(operations).encode(), answer.tobytes()):
    print(hashlib.sha256(text).hexdigest(), end=" ")
PYTHON
for number in 1 2 3 4 5 6; do
  PYTHONHASHSEED=0 TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" -W ignore "$folder/convert.py" \
    2>"$folder/errors" | tail -n 1 >>"$folder/found" || { cat "$folder/errors" >&2; exit 1; }
  echo >>"$folder/found"
done
sed -i '/^$/d' "$folder/found"
files=$(cut -d ' ' -f 1 "$folder/found" | sort -u | wc -l)
operations=$(cut -d ' ' -f 2 "$folder/found" | sort -u | wc -l)
answers=$(cut -d ' ' -f 3 "$folder/found" | sort -u | wc -l)
echo "of $(wc -l <"$folder/found") conversions: $files different files," \
  "$operations set(s) of operations, $answers set(s) of answers"
[ "$files" -gt 1 ] && [ "$operations" = 1 ] && [ "$answers" = 1 ]
