# SPDX-License-Identifier: Apache-2.0
"""Checks a generated incident (folder, end in ns) against its truth.json."""
import json
import sys

folder, end_ns = sys.argv[1], int(sys.argv[2])
truth = json.load(open(folder + "/truth.json"))
t0 = int(truth["t0_ns"])


def check(condition, text):
    if not condition:
        sys.exit("incident: " + text)


def lines(name, key):
    for line in open(f"{folder}/{name}", encoding="utf-8"):
        yield from json.loads(line)[key]


def attributes(item):
    return {a["key"]: list(a["value"].values())[0] for a in item["attributes"]}


def read_spans():
    spans = {}
    for part in lines("traces.jsonl", "resourceSpans"):
        resource = attributes(part["resource"])
        for span in part["scopeSpans"][0]["spans"]:
            span["resource"] = resource
            span["attributes"] = attributes(span)
            check((span["traceId"], span["spanId"]) not in spans, "a span id twice")
            spans[span["traceId"], span["spanId"]] = span
    return spans


def check_traces(spans):
    want = truth["traces"]
    traces = {}
    for (trace, _), span in spans.items():
        traces.setdefault(trace, []).append(span)
    check(len(spans) == want["spans"], f"{len(spans)} spans")
    check(len(traces) == want["count"], f"{len(traces)} traces")
    check(750 <= len(traces) <= 900 and 4500 <= len(spans) <= 5600, "the sizes are off")
    failing = {t for t, s in traces.items() if any(x["status"].get("code") == 2 for x in s)}
    known = set(want["error_traces"]) | set(want["background_error_traces"])
    check(failing == known, "the failing traces are others than the truth says")
    for trace, members in traces.items():
        check(sum(not s["parentSpanId"] for s in members) == 1, "a trace without one root")
        for s in members:
            check(not s["parentSpanId"] or (trace, s["parentSpanId"]) in spans, "an orphan span")
            check(int(s["endTimeUnixNano"]) <= end_ns, "a span after the end")
    for trace in want["error_traces"]:
        web = [s for s in traces[trace] if s["resource"]["service.name"] == "web-app"
               and s["status"].get("code") == 2]
        check(web and web[0]["attributes"]["http.route"] == "/export", "an error not of /export")
        took = (int(web[0]["endTimeUnixNano"]) - int(web[0]["startTimeUnixNano"])) / 1e9
        check(5 <= took <= 9, f"an error that took {took} s")
        check(any(s["resource"]["service.name"] == "api-gateway" and s["status"].get("code") == 2
                  for s in traces[trace]), "no parent error in api-gateway")
    check(len(traces[want["huge_trace"]["trace_id"]]) == 300, "the huge trace")
    skewed = spans[want["skewed_span"]["trace_id"], want["skewed_span"]["span_id"]]
    parent = spans[skewed["traceId"], skewed["parentSpanId"]]
    check(int(skewed["startTimeUnixNano"]) < int(parent["startTimeUnixNano"]), "no clock skew")
    exports = [sum(s["attributes"].get("http.route") == "/export" and not s["parentSpanId"]
                   for m in traces.values() for s in m)]
    check(exports[0] > len(want["error_traces"]), "no export succeeds")


def check_logs(spans):
    want = truth["logs"]
    names = {5: "debug", 9: "info", 13: "warn", 17: "error"}
    counts = dict.fromkeys(names.values(), 0)
    stream, last = [], {}
    for part in lines("logs.jsonl", "resourceLogs"):
        resource = attributes(part["resource"])
        key = (resource["service.name"], resource.get("k8s.pod.name"), resource.get("k8s.namespace.name"))
        for record in part["scopeLogs"][0]["logRecords"]:
            counts[names[record["severityNumber"]]] += 1
            at = int(record["timeUnixNano"])
            check(last.get(key, 0) <= at <= end_ns, "a stream is not in order or goes on too long")
            last[key] = at
            if "traceId" in record:
                check((record["traceId"], record["spanId"]) in spans, "a log names no span")
            if key == ("web-app", "web-app-xyz", "production"):
                stream.append((at - t0, record))
    check(counts == want["by_severity"], f"severities {counts}")
    check(sum(counts.values()) == want["count"] and 5500 <= want["count"] <= 7000, "log count")
    index = [i for i, (_, r) in enumerate(stream)
             if r["body"]["stringValue"].startswith("OutOfMemoryError")]
    check(len(index) == 1, "one anchor is wanted")
    at, anchor = stream[index[0]]
    check(at == want["anchor"]["offset_ns"] == 295 * 10**9, "the anchor's time")
    check(anchor["traceId"] == want["anchor"]["trace_id"], "the anchor's trace")
    check("\n\tat " in anchor["body"]["stringValue"], "no stack trace")
    for side, part in (("before", stream[index[0] - 5:index[0]]), ("after", stream[index[0] + 1:index[0] + 6])):
        check([(t, r["body"]["stringValue"]) for t, r in part] ==
              [(c["offset_ns"], c["message"]) for c in want["context"][side]], "context " + side)
    check(want["anchor"]["trace_id"] in truth["traces"]["error_traces"], "the anchor did not fail")
    check({k: v["count"] for k, v in want["decoys"].items()} == {
        "payments_warn_flood": 1500, "word_in_other_field": 1, "same_nanosecond": 2,
        "utf8_and_control": 1, "staging_same_pod": 1, "inventory_cron": 3}, "decoys")


def read_metrics(spans):
    series = {}
    points = exemplars = 0
    for part in lines("metrics.jsonl", "resourceMetrics"):
        resource = attributes(part["resource"])
        for metric in [m for s in part["scopeMetrics"] for m in s["metrics"]]:
            kind = [k for k in ("gauge", "sum", "histogram", "exponentialHistogram") if k in metric][0]
            for point in metric[kind]["dataPoints"]:
                key = (metric["name"], tuple(sorted({**resource, **attributes(point)}.items())))
                if point.get("flags"):
                    check("asDouble" not in point and "count" not in point, "a value with NO_RECORDED")
                    continue
                points += 1
                series.setdefault(key, []).append(point)
                for exemplar in point.get("exemplars", []):
                    exemplars += 1
                    span = spans.get((exemplar["traceId"], exemplar["spanId"]))
                    check(span, "an exemplar names no span")
                    took = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
                    check(abs(took / 1e9 - exemplar["asDouble"]) < 1e-6, "an exemplar's value")
    want = truth["metrics"]
    check(len(series) == want["streams"], f"{len(series)} streams")
    check((points, exemplars) == (want["points"], want["exemplars"]) and exemplars, "point counts")
    return series


def pick(series, name, **labels):
    labels = {k.replace("__", "."): v for k, v in labels.items()}
    found = [v for (n, l), v in series.items() if n == name and labels.items() <= dict(l).items()]
    check(len(found) == 1, f"{name} {labels}: {len(found)} series")
    return [(int(p["timeUnixNano"]) - t0, p) for p in found[0]]


def check_metrics(series):
    want = truth["metrics"]
    web = {"k8s__namespace__name": "production", "k8s__pod__name": "web-app-xyz"}
    for pod, before in (("web-app-uvw", True), ("web-app-xyz", False)):
        for t, p in pick(series, "k8s.pod.cpu.usage", k8s__namespace__name="production",
                         k8s__pod__name=pod):
            level = want["cpu"]["before" if t < want["cpu"]["change_offset_ns"] else "after"]
            check(abs(p["asDouble"] / level - 1) <= 0.0501, f"cpu {p['asDouble']} at {t}")
            check((t < 0) == before, "a pod outlives the deploy")
    counter = [(t, p["asDouble"]) for t, p in pick(series, "container_cpu_usage_seconds_total",
                                                   namespace="production", pod="web-app-xyz")]
    rates = {t: (v - u) / 15 for (_, u), (t, v) in zip(counter, counter[1:])}
    check(abs(rates[300 * 10**9] - 0.95) < 0.03 and abs(rates[285 * 10**9] - 0.2) < 0.02, "cpu rate")
    memory = {t: int(p["asInt"]) for t, p in pick(series, "k8s.pod.memory.working_set", **web)}
    check(memory[300 * 10**9] >= 508e6 and memory[345 * 10**9] < 240e6, "memory")
    check([int(p["asInt"]) for t, p in pick(series, "k8s.container.restarts", **web)
           if t in (330 * 10**9, 345 * 10**9)] == [0, 1], "restarts")
    gap = [p for t, p in pick(series, "inventory.items") if p.get("asDouble") == "NaN"]
    check(len(gap) == want["nan_gap"]["samples"], "the NaN gap")
    versions = {dict(l)["version"] for n, l in series if n == "build_info"
                and ("service.name", "web-app") in l and ("k8s.namespace.name", "production") in l}
    check(versions == {truth["deploy"]["from"], truth["deploy"]["to"]}, "versions")
    for (name, _), points in series.items():
        last = int(points[-1]["timeUnixNano"])
        check(last == end_ns or dict(_).get("k8s.pod.name") == "web-app-uvw"
              or dict(_).get("pod") == "web-app-uvw", f"{name} does not end at the end")
        for p in points:
            if "bucketCounts" in p:
                check(sum(map(int, p["bucketCounts"])) == int(p["count"]), "bucket counts")
    errors = sum(int(points[-1]["count"]) for (n, l), points in series.items()
                 if n == "http.server.request.duration" and ("http.response.status_code", "503") in l
                 and ("service.name", "api-gateway") in l)
    check(errors == len(truth["traces"]["error_traces"]), f"{errors} answers of 503")


check(t0 + truth["end_offset_ns"] == end_ns, "the data do not end at --end")
all_spans = read_spans()
check_traces(all_spans)
check_logs(all_spans)
check_metrics(read_metrics(all_spans))
