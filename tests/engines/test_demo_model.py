"""The committed German demo model in the real Vosk, with callers whose voices its training never heard."""

import hashlib
import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from vosk import KaldiRecognizer, Model, SetLogLevel

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "models" / "demo"
MODEL = DEMO / "vosk-de"
QUESTIONS = [
    line.removeprefix("Frage:").strip()
    for line in (ROOT / "deploy" / "sandbox" / "lindner.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("Frage:")
]
HELD_OUT = tomllib.loads((DEMO / "voices.toml").read_text(encoding="utf-8"))["held_out"]
CALLERS = ["m7", "Andrea"]
SAMPLE_RATE = 8000
CHUNK_BYTES = 320
LARGEST_MODEL_BYTES = 8_000_000


@pytest.fixture(scope="module")
def model() -> Any:
    SetLogLevel(-1)
    return Model(str(MODEL))


def speak(text: str, variant: str) -> NDArray[np.int16]:
    """Return what a caller with that espeak-ng voice says, as a telephone line delivers it."""
    command = ["espeak-ng", "-v", f"de+{variant}", "--stdin", "--stdout"]
    wav = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=30).stdout
    spoken = np.frombuffer(wav[44:], "<i2").astype(np.float64)
    pause = np.zeros(SAMPLE_RATE * 3 // 10)
    wave = np.concatenate([pause, soxr.resample(spoken, 22050, SAMPLE_RATE) * 0.5, pause, pause])
    return np.rint(a_law(telephone_band(wave))).astype(np.int16)


def telephone_band(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep 300 to 3400 Hz; edges of less than some 50 Hz would ring on for tenths of a second, as no line does."""
    frequency = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)
    gain = np.interp(frequency, [250, 300, 3400, 3450], [0, 1, 1, 0])
    return np.fft.irfft(np.fft.rfft(wave) * gain, len(wave))


def a_law(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantise by the curve of ITU-T G.711, A-law."""
    a, size = 87.6, np.abs(np.clip(wave / 32768, -1, 1))
    divisor = 1 + np.log(a)
    packed = np.where(size < 1 / a, a * size, 1 + np.log(np.maximum(a * size, 1))) / divisor
    packed = np.round(packed * 127) / 127
    expanded = np.where(packed < 1 / divisor, packed * divisor / a, np.exp(packed * divisor - 1) / a)
    result: NDArray[np.float64] = np.sign(wave) * expanded * 32767
    return result


def hear(model: Any, wave: NDArray[np.int16], words: list[str] | None = None) -> str:
    """Return what Vosk recognises in 20 ms pieces; words limits it to a list."""
    grammar = [] if words is None else [json.dumps(words, ensure_ascii=False)]
    recogniser = KaldiRecognizer(model, SAMPLE_RATE, *grammar)
    data = wave.tobytes()
    chunks = (data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))
    results = [recogniser.Result() for chunk in chunks if recogniser.AcceptWaveform(chunk)]
    results.append(recogniser.FinalResult())
    return " ".join(filter(None, (json.loads(result)["text"] for result in results)))


def files() -> dict[str, bytes]:
    return {f"./{path.relative_to(MODEL).as_posix()}": path.read_bytes() for path in MODEL.rglob("*") if path.is_file()}


def digest() -> str:
    """Return sha256 of what sha256sum prints for all files in order of their names."""
    rows = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files().items()))
    return hashlib.sha256("".join(rows).encode()).hexdigest()


@pytest.mark.parametrize("variant", CALLERS)
def test_every_question_of_the_company_document_is_understood_word_for_word(model: Any, variant: str) -> None:
    heard = {question: hear(model, speak(question, variant)) for question in QUESTIONS}
    assert {question: text for question, text in heard.items() if text != question} == {}


def test_speech_that_asterisk_brought_to_16_khz_is_understood_too(model: Any) -> None:
    recogniser = KaldiRecognizer(model, 2 * SAMPLE_RATE)
    wave = soxr.resample(speak("wie lange habe ich garantie", CALLERS[0]), SAMPLE_RATE, 2 * SAMPLE_RATE)
    recogniser.AcceptWaveform(wave.tobytes())
    assert json.loads(recogniser.FinalResult())["text"] == "wie lange habe ich garantie"


def test_the_callers_of_these_tests_were_held_out_of_the_training() -> None:
    training = tomllib.loads((DEMO / "voices.toml").read_text(encoding="utf-8"))["training"]
    assert set(CALLERS) <= set(HELD_OUT["final"])
    assert not {*HELD_OUT["final"], *HELD_OUT["tuning"]} & set(training)


def test_speech_about_something_else_becomes_unknown_words_rather_than_false_ones(model: Any) -> None:
    lines = (DEMO / "out_of_domain.txt").read_text(encoding="utf-8").splitlines()
    sentences = [line for line in lines if line and not line.startswith("#")][1::2]
    spoken = false = 0
    for sentence in sentences:
        heard = hear(model, speak(sentence, CALLERS[0])).split()
        spoken += len(sentence.split())
        false += sum(word != "[unk]" and word not in sentence.split() for word in heard)
        assert "[unk]" in heard, sentence
    assert false / spoken <= 0.15


def test_a_list_of_words_given_at_run_time_limits_what_is_heard(model: Any) -> None:
    words = ["ja", "nein", "mitarbeiter", "[unk]"]
    assert hear(model, speak("ja", CALLERS[0]), words) == "ja"
    assert hear(model, speak("mitarbeiter", CALLERS[1]), words) == "mitarbeiter"
    assert set(hear(model, speak("wann haben sie geöffnet", CALLERS[0]), words).split()) <= {"[unk]"}


def test_a_silent_line_is_no_words(model: Any) -> None:
    assert hear(model, np.zeros(3 * SAMPLE_RATE, np.int16)) == ""


def test_the_model_knows_every_word_of_the_questions() -> None:
    rows = (MODEL / "graph" / "words.txt").read_text(encoding="utf-8").splitlines()
    words = {row.split()[0] for row in rows}
    assert {word for question in QUESTIONS for word in question.split()} <= words


def test_the_manifest_names_size_and_digest_of_the_committed_model() -> None:
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text(encoding="utf-8"))
    entry = next(model for model in manifest["model"] if model["name"] == "vosk-de-demo")
    assert ROOT / "models" / entry["path"] == MODEL
    assert entry["size"] == sum(map(len, files().values()))
    assert entry["sha256"] == digest()


def test_the_published_figures_are_those_of_the_committed_model() -> None:
    figures = json.loads((DEMO / "figures.json").read_text(encoding="utf-8"))
    assert figures["product"]["model_sha256"] == digest()


def test_the_model_is_small_enough_for_the_repository() -> None:
    assert sum(map(len, files().values())) <= LARGEST_MODEL_BYTES
