# SPDX-License-Identifier: Apache-2.0
"""What one user may ask over standard input: 120 calls in a minute and no more, named and with a time to come back; none of it where
the configuration turns it off."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import NO_LIMITS, Client, sonde_command  # noqa: E402


def text_of(result):
    return result["content"][0]["text"]


def main():
    client = Client(sonde_command("mcp"))
    answered = 0
    # Two come back each second, so that a slow machine gets in a few more; none can keep up with a client that does not wait.
    while answered < 5000:
        ids = [client.start("tools/call", {"name": "list_connections", "arguments": {}}) for _ in range(20)]
        results = [client.wait(id)["result"] for id in ids]
        refused = [r for r in results if r.get("isError")]
        answered += len(results) - len(refused)
        if refused:
            break
    assert answered >= 120, answered
    words = re.search(r"120 calls a minute are allowed \(limits\.calls_per_minute\); try again in (\d+) s", text_of(refused[0]))
    assert words and 1 <= int(words.group(1)) <= 30, text_of(refused[0])
    assert refused[0]["structuredContent"], refused[0]
    # What is no call of a tool goes on.
    assert client.request("tools/list")["tools"]
    assert client.close()[0] == 0
    client = Client(sonde_command("mcp", config=NO_LIMITS))
    ids = [client.start("tools/call", {"name": "list_connections", "arguments": {}}) for _ in range(200)]
    wrong = [r for r in (client.wait(id)["result"] for id in ids) if r.get("isError")]
    assert not wrong, text_of(wrong[0])
    assert client.close()[0] == 0
    print("%d calls answered before the first was refused" % answered)


main()
