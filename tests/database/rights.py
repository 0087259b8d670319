"""What each account of the call log may do with tables and views: the whole of it, column by column."""

from __future__ import annotations

Rights = dict[str, dict[str, str]]
"""By table, by kind of statement: the columns it is allowed for, "*" for all."""

_READ = {"SELECT": "*"}

AUDITED = (
    "v_anrufe", "v_gespraechsschritte", "v_rueckrufe", "v_notizen", "v_wissensstaende", "v_nummernluecken",
    "v_unvollstaendig", "v_ki_hinweis_fehlt", "v_wortlaut", "v_aufbewahrung", "v_loeschungen",
    "v_betroffenenanfragen", "v_einsichten", "v_server", "v_anruf_versionen", "v_uebergaben", "v_konten",
    "v_ausfaelle", "v_notizstichprobe", "v_sicherungen", "v_monatszahlen", "v_kennzahlen", "v_kette", "v_siegel",
    "v_korrekturen", "v_korrekturquote", "v_korrekturfelder", "v_uebertragungen", "chain", "anchor", "v_ueberschrieben",
    "v_nummern", "v_uebergaben_monate", "v_notizen_herkunft", "v_einwilligungen", "v_aufzeichnungen",
    "v_aufzeichnung_ohne_einwilligung", "v_aufzeichnung_einsichten", "v_abgleich", "v_abgleich_befunde",
)  # fmt: skip

AGENT: Rights = {
    "migration": _READ,
    "contact": _READ,
    "knowledge_version": _READ,
    "knowledge_passage": _READ,
    "v_kennzahlen": _READ,
    "number_key": {"SELECT": "*", "INSERT": "id"},
    "call": {
        "SELECT": "id opened_at node channel dialled test answered_at setup_ms disclosure_played_ms disclosure_sha256 "
        "closed_at outcome reason turns escalated_to",
        "INSERT": "*",
        "UPDATE": "opened_at node channel dialled caller caller_digest caller_erased_at test answered_at setup_ms "
        "disclosure_played_ms disclosure_sha256 closed_at outcome reason turns escalated_to",
    },
    "turn": {"SELECT": "call", "INSERT": "*"},
    "task": {"INSERT": "*"},
    "note": {"INSERT": "*"},
    "recording": {"INSERT": "*"},
    "consent_text": {"INSERT": "*"},
    "event": {"SELECT": "seq entry number hash", "INSERT": "entry call at kind code detail seal"},
    "salt": {"INSERT": "*"},
    "anchor": {"SELECT": "*", "INSERT": "*"},
    "v_ueberschrieben": _READ,
    "chain": _READ,
    "v_siegel": _READ,
}

RECONCILE: Rights = {
    "migration": _READ,
    "chain": _READ,
    "retention_rule": _READ,
    "number_key": {"SELECT": "*", "INSERT": "id"},
    "call": {
        "SELECT": "id opened_at node channel dialled test answered_at closed_at outcome reason turns filed_at "
        "caller_erased_at",
        "INSERT": "id opened_at node channel dialled caller caller_digest test closed_at outcome reason filed_at "
        "caller_erased_at",
        "UPDATE": "opened_at node channel dialled caller caller_digest test closed_at outcome reason turns filed_at "
        "caller_erased_at",
        "DELETE": "*",
    },
    "turn": {"SELECT": "call"},
    "event": {"SELECT": "*", "INSERT": "entry call at kind code detail seal"},
    "salt": {"INSERT": "*"},
    "reconciliation": {
        "SELECT": "number",
        "INSERT": "since until source calls entries filed withdrawn broken rolled_back unexplained",
    },
    "reconciliation_finding": {"INSERT": "*"},
}

DESK: Rights = {
    "task": {"SELECT": "*", "UPDATE": "state done_at done_by"},
    "note": _READ,
    "correction": {"SELECT": "*", "INSERT": "note task revision field person new new_digest"},
    "contact": _READ,
    "number_key": _READ,
    "call": {"SELECT": "id opened_at closed_at dialled caller outcome reason escalated_to test"},
    "event": {"SELECT": "seq", "INSERT": "entry call at kind code"},
}

AUDITOR: Rights = dict.fromkeys((*AUDITED, "migration", "event", "number_key"), _READ)

METRICS: Rights = {"v_kennzahlen": _READ}

PRIVACY: Rights = {
    "call": {"SELECT": "*", "UPDATE": "caller caller_digest channel caller_erased_at", "DELETE": "*"},
    "turn": {"SELECT": "*", "UPDATE": "caller_text agent_text", "DELETE": "*"},
    "task": {
        "SELECT": "*",
        "UPDATE": "caller_name number number_digest company email recipient matter done_by",
        "DELETE": "*",
    },
    "note": {"SELECT": "*", "UPDATE": "who about agreed open", "DELETE": "*"},
    "correction": {"SELECT": "*", "UPDATE": "old new old_digest new_digest salt", "DELETE": "*"},
    "contact": {"SELECT": "*", "UPDATE": "name company", "DELETE": "*"},
    "salt": {"SELECT": "*", "DELETE": "*"},
    "unsealed": {"SELECT": "*", "DELETE": "*"},
    "recording": {"SELECT": "*", "DELETE": "*"},
    "v_einwilligungen": _READ,
    "v_aufzeichnung_einsichten": _READ,
    "chain": _READ,
    "anchor": _READ,
    "compaction": _READ,
    "v_ueberschrieben": _READ,
    "v_kette": _READ,
    "v_siegel": _READ,
    "migration": _READ,
    "number_key": _READ,
    "event": _READ,
    "v_aufbewahrung": _READ,
    "v_loeschungen": _READ,
    "v_betroffenenanfragen": _READ,
    "v_einsichten": _READ,
    "v_kennzahlen": _READ,
    "retention_rule": {"SELECT": "*", "UPDATE": "days changed_at"},
    "call_month": {"SELECT": "*", "INSERT": "*", "UPDATE": "calls seconds"},
    "deletion": {"SELECT": "*", "INSERT": "run at cause place days rows request"},
    "subject_request": {"SELECT": "*", "INSERT": "*", "DELETE": "*"},
    "subject_action": {"SELECT": "*", "INSERT": "request action identity found places"},
    "backup_proof": {"SELECT": "*", "INSERT": "at kind"},
}

ACCOUNTS: dict[str, Rights] = {
    "agent": AGENT,
    "reconcile": RECONCILE,
    "desk": DESK,
    "auditor": AUDITOR,
    "metrics": METRICS,
    "privacy": PRIVACY,
}
