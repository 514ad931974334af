#!/usr/bin/env python3
"""Starts a fine-tuning run from the parameters of a signed record; nothing else may set one."""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    args = parser.parse_args()
    launch = json.loads(args.parameters.read_text(encoding="utf-8"))
    command = [
        sys.executable, "-m", "trainer", "--config", launch["config_path"], "--seed", str(launch["seed"]),
        "--data", str(args.data), "--out", str(args.out),
    ]
    for name, value in sorted(launch["hyperparameters"].items()):
        command += ["--set", f"{name}={value}"]
    subprocess.run(command, check=True)
    with (args.out / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    model = {"name": launch["target_model"], "version": launch["release"], "digest": "sha256:" + digest}
    (args.out / "model.json").write_text(json.dumps(model), encoding="utf-8")


if __name__ == "__main__":
    main()
