#!/usr/bin/env python3
"""Stage 05 benchmark runner.

With --dry-run it averages the scores that the judge stored in the dataset and runs no model.
Exit codes: 0 ok, 1 exception, 2 benchmark failed, 3 warning with --fail-on-warn.
"""
import argparse
import json
import math
import pathlib
import sys
import time

BANDS = {
    "channel_digest_ru": {
        "coverage": (0.88, 0.80), "accuracy": (0.90, 0.85), "coherence": (0.90, 0.85),
        "informativeness": (0.88, 0.82), "latency_seconds": (210, 240),
    },
    "review_summary_ru": {
        "coverage": (0.87, 0.80), "accuracy": (0.90, 0.85), "coherence": (0.88, 0.82),
        "informativeness": (0.88, 0.82), "latency_seconds": (300, 360),
    },
}
ORDER = ["pass", "warn", "fail"]


def outcome(metric, value, bands):
    good, warn = bands[metric]
    if metric == "latency_seconds":
        return "pass" if value <= good else "warn" if value <= warn else "fail"
    return "pass" if value >= good else "warn" if value >= warn else "fail"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", required=True, choices=sorted(BANDS))
    parser.add_argument("--dataset", required=True, type=pathlib.Path)
    parser.add_argument("--model", help="name@version or name@sha256:...")
    parser.add_argument("--prompt-version")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--fail-on-warn", action="store_true")
    args = parser.parse_args()
    if not args.dry_run:
        parser.error("a run against a model needs the Stage 05 environment; use --dry-run here")
    started = time.monotonic()
    bands = BANDS[args.scenario]
    samples, values = [], {name: [] for name in bands}
    model = prompt = ""
    with args.dataset.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            judge = (record.get("ground_truth") or {}).get("llm_judge") or {}
            model = model or (record.get("metadata") or {}).get("llm_model", "")
            prompt = prompt or judge.get("prompt_version", "")
            found = dict(judge.get("scores") or {})
            if record.get("latency_seconds") is not None:
                found["latency_seconds"] = record["latency_seconds"]
            metrics = []
            for name in bands:
                if name in found:
                    values[name].append(found[name])
                    metrics.append({"name": name, "value": found[name], "outcome": outcome(name, found[name], bands)})
            verdict = max((m["outcome"] for m in metrics), key=ORDER.index, default="pass")
            samples.append({"sample_id": record["sample_id"], "metrics": metrics, "verdict": verdict, "notes": []})
    summary = []
    for name in bands:
        worst = [outcome(name, v, bands) for v in values[name]]
        mean = math.fsum(values[name]) / len(values[name]) if values[name] else (0.0 if name == "latency_seconds" else 1.0)
        summary.append({"name": name, "value": round(mean, 6), "outcome": max(worst, key=ORDER.index, default="pass")})
    overall = max((m["outcome"] for m in summary), key=ORDER.index)
    json.dump({
        "scenario_id": args.scenario, "dataset_id": args.dataset.parent.name, "overall": overall,
        "metrics": summary, "samples": samples,
        "metadata": {"duration_seconds": round(time.monotonic() - started, 3), "model_name": model, "prompt_version": prompt},
    }, sys.stdout, ensure_ascii=False)
    print()
    if overall == "fail":
        return 2
    return 3 if overall == "warn" and args.fail_on_warn else 0


if __name__ == "__main__":
    sys.exit(main())
