# SPDX-License-Identifier: Apache-2.0
"""Drives `sonde mcp` and `sonde serve` with the clients that people use: the TypeScript SDK 1.x and 2.x, the Python SDK 1.x and 2.x and the
MCP Inspector's command line, in each protocol era they know. Every tool is listed and called; every client must be told the same.
Argument: the folder tests/clients/build made."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import free_port, make_incident, wait_until_ready  # noqa: E402

cache = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
top = os.environ["top_builddir"]
node = os.path.join(cache, "node_modules/node/bin/node")
CALLS = [["list_connections", {}],
         ["list_metrics", {"match": "container_cpu"}],
         ["query_metrics", {"query": "container_cpu_usage_seconds_total", "time_range": {"start": "45m"}}],
         ["query_metrics", {"query": "sum(", "connection_id": "incident"}]]
INSPECTOR = os.path.join(cache, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js")
failures = []


def check(condition, text):
    if not condition:
        failures.append(text)
        print("FAILED: " + text)


def sonde(command, *arguments):
    return [os.path.join(top, "sonde"), command, *arguments, "--plugins", os.path.join(top, "plugins.d")]


def configuration(folder):
    path = os.path.join(folder, "sonde.yaml")
    with open(path, "w") as file:
        # Named, because clients start servers with few of the variables they have themselves.
        file.write("store: sonde.db\nkeys: {file: keys}\nfiles: %s\nlimits: {calls_per_minute: 0}\nconnections:\n  - {name: incident, backend: otlpfile, url: \"file://%s\"}\n"
                   % (folder, folder))
    os.chmod(path, 0o600)
    return path


def run(command, what):
    """Standard output as JSON, or None."""
    environment = dict(os.environ, PATH=os.path.dirname(node) + ":" + os.environ["PATH"])
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env=environment)
    if done.returncode:
        check(False, "%s: exit code %d: %s %s" % (what, done.returncode, done.stderr.decode()[-800:], done.stdout.decode()[-300:]))
        return None
    return json.loads(done.stdout)


def sdk(program, target, era, what):
    wish = dict(target, era=era, calls=CALLS)
    script = os.path.join(here, program)
    if program.endswith(".py"):
        command = [os.path.join(cache, program[:-3], "bin/python"), script, json.dumps(wish)]
    else:
        # Modules are found from where the script lies.
        copy = os.path.join(cache, program)
        with open(script) as source, open(copy, "w") as out:
            out.write(source.read())
        command = [node, copy, json.dumps(wish)]
    answer = run(command, what)
    if not answer:
        return
    check(answer["tools"] == ["query_metrics", "list_metrics", "list_connections"], "%s: tools %s" % (what, answer["tools"]))
    if (program, era) != ("python2.py", "modern"):  # told which version to speak, it asks for neither
        check("incident" in (answer["instructions"] or ""), "%s: the instructions do not name the connection" % what)
        check((answer["server"] or {}).get("name") == "sonde", "%s: server %s" % (what, answer["server"]))
    judge(answer["calls"], what)


def judge(calls, what):
    check([call["error"] for call in calls] == [False, False, False, True],
          "%s: errors %s" % (what, [(call["error"], call["text"][:120]) for call in calls]))
    check("incident" in calls[0]["text"] and calls[0]["structured"]["connections"], "%s: connections %s" % (what, calls[0]["text"][:200]))
    check("container_cpu_usage_seconds_total" in calls[1]["text"], "%s: names %s" % (what, calls[1]["text"][:200]))
    check(calls[2]["structured"]["results"], "%s: no rows: %s" % (what, calls[2]["text"][:200]))


def inspector(target, era, what):
    if "url" in target:
        base = [node, INSPECTOR, "--cli", target["url"], "--transport", "http", "--header", "Authorization: Bearer " + target["token"]]
        tail = []
    else:
        base = [node, INSPECTOR, "--cli"]
        tail = ["--"] + target["command"]
    base += ["--format", "json", "-q", "--protocol-era", era]
    listed = run(base + ["--method", "tools/list", "--strict"] + tail, what + " tools/list")
    if not listed:
        return
    names = [tool["name"] for tool in listed["result"]["tools"]]
    check(names == ["query_metrics", "list_metrics", "list_connections"], "%s: tools %s" % (what, names))
    for name, arguments in CALLS[:3]:
        answer = run(base + ["--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments)] + tail,
                     what + " " + name)
        check(answer and not answer["result"].get("isError"), "%s: %s is an error" % (what, name))


def serve(path, folder):
    port = free_port()
    tokens = os.path.join(folder, "tokens")
    process = subprocess.Popen(sonde("serve", "--config", path, "--listen", "127.0.0.1:%d" % port, "--token-file", tokens))
    wait_until_ready("http://127.0.0.1:%d/healthz" % port, process)
    with open(tokens) as file:
        token = [line.split()[0] for line in file if line.strip() and not line.startswith("#")][0]
    return process, {"url": "http://127.0.0.1:%d/mcp" % port, "token": token}


def main():
    with tempfile.TemporaryDirectory() as folder:
        make_incident(folder)
        path = configuration(folder)
        process, http = serve(path, folder)
        try:
            for name, target in (("stdio", {"command": sonde("mcp", "--config", path)}), ("HTTP", http)):
                for program in ("typescript1.mjs", "python1.py"):
                    sdk(program, target, "legacy", "%s over %s" % (program, name))
                for program in ("typescript2.mjs", "python2.py"):
                    for era in ("legacy", "auto", "modern"):
                        sdk(program, target, era, "%s %s over %s" % (program, era, name))
                for era in ("legacy", "modern"):
                    inspector(target, era, "inspector %s over %s" % (era, name))
        finally:
            process.terminate()
            check(process.wait(20) == 0, "sonde serve ended with %s" % process.returncode)
    print("%d failures" % len(failures))
    return 1 if failures else 0


sys.exit(main())
