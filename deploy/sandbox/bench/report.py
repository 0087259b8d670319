"""The figures as JSON with a stable shape, and as a table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.bench.figures import Distribution, distribution
from sandbox.bench.machine import STOLEN_PERCENT, Machine
from sandbox.bench.measure import STAGES, BargeIn, Parallel
from sandbox.bench.tables import figures_table

METHOD = """\
One process of a real SIP phone per call (PCMA, loopback), calling the company's number on the sandbox's Asterisk. The
phone records both directions on one clock of 8 kHz samples, in ticks of 20 ms; nothing of its own delay is subtracted.
A sample is speech when its magnitude is above 300. Callers speak with synthetic voices that the recognition model was
not trained on, clean, cut to their first and last speech sample. They hear the greeting to its end, then ask one
question after the other, each some tenths of a second after the agent has been silent for 700 ms; parallel calls begin
to ask at the same moment. The agent speaks fast, so that an answer is over soon. All calls come twice: without and with
a language model; with one, every turn that no rule decides is asked of it.
runs[]: decider is the model's file; decided_by counts turns by who decided (search and encoder also where the model's
decision was not certain enough), fell_back those in which it did not answer, by cause.
heard_ms: from the caller's last speech sample to the first one received afterwards, of those replies only that the call
log has as the answer to the question asked. any_reply_ms: the same of all replies, wrong ones too.
barge_in.ms: from the first speech sample of a caller who interrupts the greeting or a long answer to the agent's last
one before 300 ms of silence; less than about 100 ms is a stop in a pause between words.
barge_in.hushed_ms: how long the agent is silent when a caller says no more than "mhm" or "ja" into a long answer.
answer_to_first_word_ms: from the 200 at the phone to the first speech sample, exact to 20 ms.
stages_ms: from the call log, same turns; end_of_turn and total begin with the caller's last speech as voice activity
detection sees it, total ends with the first audio handed to the line; outside_log is heard minus total.
received_speech: every sentence of the agent is compared with its rendering; a gap is where the rest comes later, a skip
where something was left out (10 ms or more), damage is frames of 20 ms that sound differently.
processes: from /proc while all calls talk, the greeting left out; processor time in percent of one core, memory as
proportional set size at the end.""".replace("\n", " ")

Json = dict[str, Any]

_REPLIES = ("asked", "right", "wrong", "missing", "word_for_word")


@dataclass(frozen=True)
class Report:
    """All that was measured."""

    quick: bool
    started_at: str
    seconds: float
    transport: str
    """How audio comes from Asterisk."""
    machine: Machine
    runs: Sequence[Parallel]
    barge_in: BargeIn

    def warnings(self) -> list[str]:
        """Why the figures may be worse than they could be."""
        return warnings(self.machine)

    def not_measured(self) -> list[str]:
        """What is missing or does not hold."""
        missing = [f"{run.calls} calls, {run.decider}: {what}" for run in self.runs for what in _missing(run)]
        if not self.barge_in.stopped_ms:
            missing.append("barge-in: nothing was measured")
        elif spoke_on := self.barge_in.tries - len(self.barge_in.stopped_ms):
            missing.append(f"barge-in: the agent spoke on in {spoke_on} of {self.barge_in.tries} tries")
        if other := self.barge_in.murmurs - len(self.barge_in.hushed_ms):
            missing.append(f'barge-in: a "mhm" did not make the agent pause and go on {other} times')
        return missing + [f"barge-in: {trouble}" for trouble in self.barge_in.trouble]

    def json(self) -> Json:
        """Return everything; units are in the names."""
        return {
            "method": METHOD,
            "quick": self.quick,
            "started_at": self.started_at,
            "seconds": round(self.seconds, 1),
            "transport": self.transport,
            "machine": asdict(self.machine),
            "runs": [_run(run) for run in self.runs],
            "barge_in": {
                "tries": self.barge_in.tries,
                "stopped": len(self.barge_in.stopped_ms),
                "ms": _shape(self.barge_in.stopped_ms),
                "murmurs": self.barge_in.murmurs,
                "hushed_ms": _shape(self.barge_in.hushed_ms),
            },
            "warnings": self.warnings(),
            "not_measured": self.not_measured(),
        }


def warnings(machine: Machine) -> list[str]:
    """Why the figures may be worse than they could be."""
    found: list[str] = []
    if machine.was_busy:
        how = f"{machine.busy_before_percent:g} % of its processors, load {machine.load_before[0]:g}"
        found.append(f"the machine was busy before the start ({how}): these are not the figures of an idle one")
    if machine.stolen_percent > STOLEN_PERCENT:
        stolen = f"{machine.stolen_percent:g} %"
        found.append(f"the host gave {stolen} of the processors to other machines: gaps and delays may be its own")
    return found


def show(report: Json, console: Console) -> None:
    """Print the JSON's figures as tables."""
    machine = report["machine"]
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores; load {machine['load_before'][0]} before, "
        f"{machine['load_after'][0]} after, "
        f"{machine['stolen_percent']} % stolen; " + ", ".join(f"{name} {v}" for name, v in machine["versions"].items()),
        soft_wrap=True,
    )
    console.print(f"audio: {report['transport']}")
    console.print(_deciders(report["runs"]))
    console.print(_times(report))
    console.print(_counts(report["runs"], "replies", "replies"))
    console.print(_counts(report["runs"], "received_speech", "the agent, as heard"))
    console.print(_processes(report["runs"]))


def show_warnings(report: Json, console: Console) -> None:
    """Print what makes the figures worth less."""
    for line in (*report["warnings"], *(f"not measured: {what}" for what in report["not_measured"])):
        console.print(f"! {line}", soft_wrap=True, highlight=False)


def _missing(run: Parallel) -> list[str]:
    times = ("heard_ms", "invite_to_answer_ms", "answer_to_first_word_ms")
    missing = [name for name in times if not getattr(run, name)]
    missing += [] if run.speech_ms else ["received speech"]
    return missing + sorted(set(run.trouble))


def _run(run: Parallel) -> Json:
    return {
        "calls": run.calls,
        "decider": run.decider,
        "decided_by": dict(run.decided_by),
        "fell_back": dict(run.fell_back),
        "replies": {name: getattr(run, name) for name in _REPLIES},
        "heard_ms": _shape(run.heard_ms),
        "any_reply_ms": _shape(run.any_reply_ms),
        "invite_to_answer_ms": _shape(run.invite_to_answer_ms),
        "answer_to_first_word_ms": _shape(run.answer_to_first_word_ms),
        "stages_ms": {name: _shape(run.stages_ms.get(name, [])) for name in STAGES}
        | {"outside_log": _shape(run.outside_log_ms)},
        "received_speech": {
            "seconds": round(run.speech_ms / 1000, 1),
            "gaps": len(run.gaps_ms),
            "longest_gap_ms": max(run.gaps_ms, default=0.0),
            "skips": len(run.skips_ms),
            "damaged_ms": run.damaged_ms,
        },
        "processes": {
            name: {"cpu_percent_of_core": used.cpu_percent_of_core, "memory_pss_mib": used.memory_mib}
            for name, used in run.usage.items()
        },
    }


def _shape(values: Sequence[float]) -> Json | None:
    found = distribution(values)
    return asdict(found) if found else None


def _deciders(runs: Sequence[Json]) -> Table:
    table = figures_table("p50 / p95 in ms", "heard", "any reply", "decide", "decided by", "without it")
    for run in runs:
        shapes = (run["heard_ms"], run["any_reply_ms"], run["stages_ms"]["decide"])
        times = (f"{shape['p50']:.0f} / {shape['p95']:.0f}" if shape else "–" for shape in shapes)
        table.add_row(_calls(run), *times, *(_tally(run[counts]) for counts in ("decided_by", "fell_back")))
    return table


def _tally(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "–"


def _times(report: Json) -> Table:
    table = figures_table("milliseconds", "calls", *Distribution.__dataclass_fields__)
    for run in report["runs"]:
        calls = _calls(run)
        for name in ("heard", "answer_to_first_word", "invite_to_answer"):
            table.add_row(name.replace("_", " "), calls, *_cells(run[f"{name}_ms"]))
        for name, values in run["stages_ms"].items():
            table.add_row(f"  {name.replace('_', ' ')}", calls, *_cells(values))
        table.add_section()
    table.add_row("barge-in", "1", *_cells(report["barge_in"]["ms"]))
    table.add_row('silent for a "mhm"', "1", *_cells(report["barge_in"]["hushed_ms"]))
    return table


def _counts(runs: Sequence[Json], what: str, title: str) -> Table:
    table = figures_table(title, *(name.replace("_", " ") for name in runs[0][what]))
    for run in runs:
        table.add_row(_calls(run), *(f"{value:g}" for value in run[what].values()))
    return table


def _processes(runs: Sequence[Json]) -> Table:
    table = figures_table("% of a core / MiB", *map(_calls, runs))
    for name in dict.fromkeys(name for run in runs for name in run["processes"]):
        found = [run["processes"].get(name) for run in runs]
        table.add_row(
            name.replace("_", " "),
            *(f"{use['cpu_percent_of_core']} / {use['memory_pss_mib']}" if use else "–" for use in found),
        )
    return table


def _calls(run: Json) -> str:
    return f"{run['calls']}, {run['decider'].removesuffix('.gguf')}"


def _cells(values: Mapping[str, float] | None) -> list[str]:
    return [f"{value:g}" for value in values.values()] if values else ["–"] * len(Distribution.__dataclass_fields__)
