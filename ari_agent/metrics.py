"""What the service counts, for Prometheus. No label ever carries a number, a name or a caller's words."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DECISIONS = Counter(
    "ari_agent_decisions",
    "Turns decided, by who decided (rules, search, encoder, llama, remote) and act",
    ["by", "act"],
)
FALL_BACKS = Counter(
    "ari_agent_model_fall_backs",
    "Turns in which the model did not decide, by cause (slow, busy, unavailable): policy and search did",
    ["cause"],
)
DECIDE_SECONDS = Histogram(
    "ari_agent_decide_seconds",
    "From the caller's last words to the act",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0),
)
PHRASES = Counter(
    "ari_agent_phrased_answers",
    "Answers a model phrased, by what was spoken (phrased, guarded, failed)",
    ["spoken"],
)
CALLS = Counter("ari_agent_calls", "Calls that ended, by outcome and reason", ["outcome", "reason"])
CONSENTS = Counter(
    "ari_agent_consents",
    "Callers asked whether the call may be recorded, by answer (given, refused, withdrawn)",
    ["answer"],
)
RECORDINGS = Counter(
    "ari_agent_recordings",
    "Recordings and transcripts by kind and what became of them (kept; failed: no folder, disk full, call log away)",
    ["kind", "result"],
)
RECORDING_UP = Gauge(
    "ari_agent_recording_up", "1 while recordings can be kept, 0 while nobody is asked because they cannot"
)
ACTIVE_CALLS = Gauge("ari_agent_active_calls", "Calls being served")
LOG_WAITING = Gauge("ari_agent_log_waiting", "Entries of the call log that the database has not taken yet")
LOG_DATABASE_UP = Gauge("ari_agent_log_database_up", "1 while the database takes entries of the call log, else 0")
LOG_SPOOL_UP = Gauge("ari_agent_log_spool_up", "1 while entries that wait are on disk, 0 while only in memory")
LOG_ENTRIES = Counter(
    "ari_agent_log_entries",
    "Entries of the call log by what became of them (written, refused by the database, dropped because nothing could "
    "hold them)",
    ["result"],
)
LOG_KEY_UP = Gauge("ari_agent_log_key_up", "1 while the keys of callers' numbers (log.number_key) can be read, else 0")
TASKS = Gauge("ari_agent_tasks", "Tasks of the service's event loop: a number that grows from day to day is a leak")
REFUSED = Counter(
    "ari_agent_refused_calls",
    "Calls this controller did not take, by reason (full, lag, connecting, not-ready): another one did, or the queue",
    ["reason"],
)
ADMISSION = Gauge("ari_agent_admission_open", "1: new calls are taken; 0: everything is too late for more of them")
LAG = Gauge(
    "ari_agent_lag_seconds",
    "How late we are, by part (loop, recogniser, transcript, voice)",
    ["part"],
)
RETENTION_OVERDUE = Gauge(
    "ari_agent_retention_overdue_rows", "Rows of the call log that should have been deleted more than a day ago"
)
ANCHORS_UNSTAMPED = Gauge(
    "ari_agent_anchors_unstamped", "Anchors since the newest one with a time stamp; 0 without log.stamp_url"
)
REQUESTS_OVERDUE = Gauge(
    "ari_agent_subject_requests_overdue", "Requests of data subjects not answered within their month"
)
CALLS_UNEXPLAINED = Gauge(
    "ari_agent_calllog_unexplained_gaps",
    "Findings without an explanation of the newest `ari-agent calllog reconcile`: missing, doubled or different calls, "
    "missing events, unreadable lines of Asterisk's",
)
RECONCILED_AT = Gauge(
    "ari_agent_calllog_reconciled_timestamp_seconds", "When the call log was last compared with Asterisk's records"
)
REPLACED = Counter(
    "ari_agent_workers_replaced",
    "Processes of an engine that were replaced between calls because they took too much memory",
    ["engine"],
)
WORKER_MEMORY = Gauge(
    "ari_agent_worker_memory_bytes", "Memory that an engine's processes have for themselves", ["engine"]
)
OUT_OF_SERVICE = Gauge(
    "ari_agent_workers_out_of_service",
    "Processes of an engine that rest because calls ended them again and again; people answer meanwhile",
    ["engine"],
)
PHRASES_BYTES = Gauge(
    "ari_agent_phrases_bytes",
    "Memory that spoken phrases take which are held to be said again at once: those of the start and 64 MiB of others",
)
HELD_UP = Counter(
    "ari_agent_audio_held_up",
    "Holes that callers over AudioSocket heard, because a frame went out more than 60 ms late",
)
