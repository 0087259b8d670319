"""The usual way, to compare with: `Llama()` of llama-cpp-python, one decision after the other.

`python -m sandbox.bench.alone` reads JSON from stdin: gguf, context_tokens, threads, grammar, messages (a list of
chats) and fresh (how many of them to decide again with everything forgotten before). It answers with JSON: milliseconds
of the decisions, of the fresh ones, and the process's memory in MiB. In a process of its own, as our worker is.
"""

import json
import os
import sys
import time
from typing import Any

from llama_cpp import Llama
from llama_cpp.llama_grammar import LlamaGrammar

from sandbox.bench.usage import memory_mib

TOKENS = 96
"""Most tokens of a record."""


def main() -> int:
    """Decide what stdin says; returns the exit status."""
    task = json.load(sys.stdin)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native code prints
    model = Llama(
        task["gguf"],
        n_ctx=task["context_tokens"],
        n_threads=task["threads"],
        n_threads_batch=task["threads"],
        verbose=False,
    )
    grammar = LlamaGrammar.from_string(task["grammar"], verbose=False)

    def decide(chat: list[Any]) -> float:
        began = time.perf_counter()
        model.create_chat_completion(chat, grammar=grammar, temperature=0.0, max_tokens=TOKENS)
        return (time.perf_counter() - began) * 1000

    decide(task["messages"][-1])  # the first one of a company reads the fixed prompt
    times = [decide(chat) for chat in task["messages"]]
    fresh = []
    for chat in task["messages"][: task["fresh"]]:
        model.reset()  # type: ignore[no-untyped-call]
        fresh.append(decide(chat))
    json.dump({"ms": times, "fresh_ms": fresh, "memory_pss_mib": memory_mib(os.getpid())}, replies)
    replies.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
