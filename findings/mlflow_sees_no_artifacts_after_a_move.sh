#!/usr/bin/env bash
# MLflow 3.17.2: a folder with mlflow.db and mlruns/ that is moved has runs without artifacts.
#
# With a SQLite store and no server, experiments, runs and registered models keep the absolute path
# of their artifacts, also where the location was given relative to the working folder. After the
# folder was moved the runs are all there, `list_artifacts` returns an empty list rather than an
# error, and new runs of an old experiment write into the folder that it came from, which is made
# again.
#
# Output seen:
#   before the move 1 artifact, after it 0 and no error; a new run writes into the old folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2
cd "$folder"
cat >log.py <<'PYTHON'
import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
if mlflow.get_experiment_by_name("analysis") is None:
    mlflow.create_experiment("analysis", artifact_location="mlruns/analysis")
with mlflow.start_run(experiment_id=mlflow.get_experiment_by_name("analysis").experiment_id):
    mlflow.log_text("hello", "greeting.txt")
PYTHON
cat >count.py <<'PYTHON'
import mlflow

client = mlflow.MlflowClient("sqlite:///mlflow.db")
experiment = client.get_experiment_by_name("analysis").experiment_id
[run] = client.search_runs([experiment])
print(len(client.list_artifacts(run.info.run_id)))
PYTHON
python="$folder/venv/bin/python"
mkdir old
before=$(cd old && $python ../log.py >log.txt 2>&1 && $python ../count.py 2>>log.txt)
mv old new
after=$(cd new && $python ../count.py 2>>log.txt)
(cd new && $python ../log.py >>log.txt 2>&1)
there=$(find old -name greeting.txt | wc -l)
echo "before the move $before artifact, after it $after and no error; $there file written into the old folder"
[ "$before $after $there" = "1 0 1" ]
