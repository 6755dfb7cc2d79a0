# SPDX-License-Identifier: Apache-2.0
"""Asks the adapter through its fixture runner: argv holds the runner and a folder with data/."""
import datetime
import json
import os
import re
import subprocess
import sys

runner, folder = sys.argv[1], sys.argv[2]
truth = json.load(open(folder + "/data/truth.json"))
T0 = int(truth["t0_ns"]) // 10**9
lines = []
files = [{"name": n, "size": os.path.getsize(f"{folder}/data/{n}"), "mtime_ns": (T0 + 600) * 10**9}
         for n in sorted(os.listdir(folder + "/data"))]


def ask(native, start=0, end=600, step=15, kind="METRICS", **more):
    case = f"{folder}/case"
    os.makedirs(case, exist_ok=True)
    query = {"kind": kind, "start": stamp(start), "end": stamp(end), "step_s": step, **more}
    if native:
        query["native"] = native
    write_data(case + "/metrics.jsonl", native)
    json.dump({"url": "file:data", "query": query, "answers": [
        {"match": "/metrics.jsonl", "body_file": "metrics.jsonl"}, {"match": "/", "body": files}]},
        open(case + "/query.json", "w"))
    if os.path.exists(case + "/want.json"):
        os.unlink(case + "/want.json")
    done = subprocess.run([runner, "--update", case], capture_output=True, text=True)
    answer = json.load(open(case + "/want.json"))
    if answer["result"] != "DONE":
        sys.exit(f"story: {native}: {answer} {done.stdout} {done.stderr}")
    return answer.get("rows", [])


def plain(name):
    return re.sub("[^a-zA-Z0-9]", "_", name)


def write_data(path, native):
    """Only what the query can mean: the runner reads the file many times, in chunks of many sizes."""
    if not lines:
        lines.extend(json.loads(line)["resourceMetrics"] for line in open(folder + "/data/metrics.jsonl"))
    with open(path, "w") as out:
        for sources in lines:
            kept = []
            for source in sources:
                scopes = [{**s, "metrics": [m for m in s["metrics"]
                                            if native is None or plain(m["name"]) in plain(native)]}
                          for s in source["scopeMetrics"]]
                kept.append({"resource": source["resource"], "scopeMetrics": scopes})
            out.write(json.dumps({"resourceMetrics": kept}, separators=(",", ":")) + "\n")


def stamp(offset):
    at = datetime.datetime.fromtimestamp(T0 + offset, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def offset(text):
    at = datetime.datetime.strptime(text[:19] + "Z", "%Y-%m-%dT%H:%M:%S%z")
    return int(at.timestamp()) - T0


def series(rows):
    return [(r.get("labels", {}), {offset(t): v for t, v in r.get("points", [])})
            for r in rows if r["row"] == "series"]
