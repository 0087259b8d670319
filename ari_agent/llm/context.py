"""llama.cpp behind a few calls: a model, its tokens, and one context that many sequences share.

The only module that knows llama_cpp, by its low-level names of 0.3.36; a wrong order of calls ends the process, so the
order is kept here. Everything is called from one thread. Sequence 0 holds what all others begin with.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import llama_cpp as native
import numpy as np

from ari_agent.llm.batch import ROWS, Row
from ari_agent.llm.request import Logits
from ari_agent.worker.pipe import CannotLoad

REMEDY = "`ari-agent models list` names models and how to fetch one"
_PIECE_BYTES = 512  # the longest tokens of known vocabularies are 128 blanks
_ERROR = 4  # ggml.h: GGML_LOG_LEVEL_ERROR
_NO_ROOM = 1  # llama.h: what llama_decode returns when it finds no cells

_errors: list[str] = []


def _keep_error(level: int, text: bytes, _: object) -> None:
    if level == _ERROR:
        _errors.append(text.decode(errors="replace").strip())


_LOG = native.llama_log_callback(_keep_error)
"""Kept alive: llama.cpp calls it for as long as the process lives."""


class Context:
    """A model and its context; implements Cells and Vocabulary. Never closed: it lives as long as its process."""

    def __init__(self, path: Path, *, tokens: int, sequences: int, threads: int) -> None:
        """Load the model into a context of so many tokens and sequences in all. Raises CannotLoad."""
        self.path = path
        self._model = _load(path)
        self._vocabulary = native.llama_model_get_vocab(self._model)
        self.size: int = native.llama_vocab_n_tokens(self._vocabulary)
        """Tokens in the vocabulary."""
        self.parameters: int = native.llama_model_n_params(self._model)
        self.longest: int = native.llama_model_n_ctx_train(self._model)
        """Tokens of one sequence that the model was trained for."""
        self.tokens = tokens
        """Room for so many tokens, those of all sequences together."""
        parameters = native.llama_context_default_params()
        parameters.n_ctx = tokens
        parameters.n_batch = parameters.n_ubatch = ROWS
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True  # else every sequence has its fixed part, and copies of a part abort
        parameters.swa_full = True  # else a model with sliding windows cannot go back
        # Flash attention adds up in another order when the batch is large: a decision would depend on who else calls.
        parameters.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.no_perf = True
        self._context = native.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise CannotLoad(f"{path}: no context of {tokens} tokens: {_reason()}; lower model.context_tokens")
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(ROWS, 0, 1)

    @property
    def template(self) -> str | None:
        """The model's chat template, None when its file has none."""
        found = native.llama_model_chat_template(self._model, None)
        return found.decode(errors="replace") if found else None

    def metadata(self, key: str) -> str | None:
        """Return a text of the file's head, None when it has none of this name."""
        buffer = ctypes.create_string_buffer(256)
        found = native.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace") if found >= 0 else None

    def opening(self) -> list[int]:
        """Return the tokens with which every text has to begin for this model."""
        if not native.llama_vocab_get_add_bos(self._vocabulary):
            return []
        return [native.llama_vocab_bos(self._vocabulary)]

    def control_text(self, token: int) -> str:
        """Return how a control token is written, "" when there is none of this number."""
        return "" if token < 0 else self._piece(token, control=True).decode(errors="replace")

    @property
    def ends(self) -> tuple[str, str]:
        """How the tokens that begin and end a text are written, for chat templates."""
        bos, eos = native.llama_vocab_bos(self._vocabulary), native.llama_vocab_eos(self._vocabulary)
        return self.control_text(bos), self.control_text(eos)

    def tokenise(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of the text; without `control` nothing in it becomes a control token."""
        data = text.encode()
        room = len(data) + 8  # a token has at least one byte; some vocabularies put a blank before the first
        tokens = (native.llama_token * room)()
        count = native.llama_tokenize(self._vocabulary, data, len(data), tokens, room, False, control)  # noqa: FBT003
        if count < 0:
            raise ValueError(f"{-count} tokens from {len(data)} bytes")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """Return what the token adds to a text; b"" for control tokens."""
        return self._piece(token, control=False)

    def is_end(self, token: int) -> bool:
        """Whether the token ends what a model says."""
        return bool(native.llama_vocab_is_eog(self._vocabulary, token))

    def decode(self, rows: Sequence[Row]) -> bool:
        """Feed 1 to ROWS tokens; False, with nothing changed, when the context has no room for them."""
        batch = self._batch
        batch.n_tokens = len(rows)
        for at, row in enumerate(rows):
            batch.token[at], batch.pos[at], batch.logits[at] = row.token, row.position, row.wanted
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = row.sequence
        status = native.llama_decode(self._context, batch)
        if status not in (0, _NO_ROOM):
            raise RuntimeError(f"llama_decode returned {status}")
        return bool(status == 0)

    def logits(self, row: int) -> Logits:
        """Return the logits behind a row of the last `decode` that wanted them."""
        return np.ctypeslib.as_array(native.llama_get_logits_ith(self._context, row), (self.size,))

    def drop(self, sequence: int, first: int = 0) -> None:
        """Forget the sequence from this position on."""
        native.llama_memory_seq_rm(self._memory, sequence, first, -1)

    def share(self, sequence: int) -> None:
        """Let the sequence hold what sequence 0 does, and nothing else, at no cost."""
        self.drop(sequence)  # copying over tokens would give two to a position
        native.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def state(self) -> bytes:
        """Return what sequence 0 holds as bytes, good for this build and this model only."""
        size = native.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self._context, buffer, size, 0)
        return bytes(buffer[:written])

    def restore(self, state: bytes, tokens: int) -> bool:
        """Fill sequence 0 from `state`; False, with nothing held, when it does not hold so many tokens."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = native.llama_state_seq_set_data(self._context, buffer, len(state), 0)
        if read and native.llama_memory_seq_pos_max(self._memory, 0) == tokens - 1:
            return True
        self.drop(0)
        return False

    def _piece(self, token: int, *, control: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = native.llama_token_to_piece(self._vocabulary, token, buffer, _PIECE_BYTES, 0, control)
        return buffer.raw[: max(0, size)]


def build() -> str:
    """Return the version of the bindings: states of another one are not to be trusted."""
    return str(native.__version__)


def _load(path: Path) -> native.llama_model_p:
    """Load a model that writes text and can go back in it. Raises CannotLoad."""
    _check(path)
    native.llama_log_set(_LOG, ctypes.c_void_p(0))
    native.llama_backend_init()
    parameters = native.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = native.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise CannotLoad(f"{path}: cannot be loaded: {_reason()}; {REMEDY}")
    if native.llama_model_has_encoder(model) or not native.llama_model_has_decoder(model):
        raise CannotLoad(f"{path}: a model of this kind does not write text; {REMEDY}")
    if native.llama_model_is_recurrent(model) or native.llama_model_is_hybrid(model):
        raise CannotLoad(f"{path}: a recurrent model cannot take words back; {REMEDY}")
    return cast("native.llama_model_p", model)


def _check(path: Path) -> None:
    """Look at what llama.cpp would only call an unreadable file. Raises CannotLoad."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as e:
        raise CannotLoad(f"{path}: {e.strerror}; name the model's file in model.gguf; {REMEDY}") from e
    if magic != b"GGUF":
        raise CannotLoad(f"{path}: not a GGUF file{', it is empty' if not magic else ''}; {REMEDY}")


def _reason() -> str:
    """Return the first thing that llama.cpp complained about."""
    sys.stderr.write("\n".join(_errors) + "\n")
    first = _errors[0] if _errors else "llama.cpp does not say why"
    return re.sub(r"^\w+: (error loading model: )?", "", first)
