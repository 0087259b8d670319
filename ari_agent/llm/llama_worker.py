"""The process that holds a language model: `python -m ari_agent.llm.llama_worker`. One session is one call.

SETUP is JSON: gguf, cache, context_tokens, threads, parallel, brief. DATA is a situation, also JSON: task ("decide",
"phrase" or "questions"), text, history, acts, passage; it is read ahead until END asks for the answer. RESULT is JSON:
chosen and confidence, or refused and why; what is written comes as a PARTIAL for each sentence (said) and an empty
RESULT. Speaks only with the service, over `pipe.serve`.
"""

from __future__ import annotations

import sys

from ari_agent.worker.pipe import CannotLoad, Engine, serve, setup


def load() -> Engine:
    """Load the model that the service names. Raises CannotLoad."""
    try:
        from ari_agent.llm import judge
    except ImportError as e:
        raise CannotLoad("llama-cpp-python is not installed; install ari-agent[llm]") from e
    return judge.load(setup())


if __name__ == "__main__":
    sys.exit(serve(load))
