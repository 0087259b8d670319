# ruff: noqa: N802  # the callbacks of the SIP stack are named by it
"""One SIP phone as one process: commands as JSON lines on stdin, replies and events as JSON lines on stdout.

    {"id": 1, "do": "call", ...}  →  {"id": 1, "ok": {...}} or {"id": 1, "error": "..."}
                                     and at any time {"event": "ended", ...}

`sandbox.phone.Phone` drives it. Audio travels as base64 of int16 little-endian, 8 kHz.
"""

import base64
import json
import os
import random
import signal
import sys
import threading
import time
from typing import Any, Literal

import numpy as np
import pjsua2 as pj

from sandbox.recording import FRAME, RATE
from sandbox.tape import Tape, Watch

RTP_PORTS = (22000, 31000)
"""Where a phone begins to look for a free RTP port: above Asterisk's own, below those that the kernel gives out."""
LONGEST_SPEECH = 120 * RATE
"""Samples that may wait to be said; more is refused."""
OVER_ALREADY = 171140
"""PJSIP_ESESSIONTERMINATED: the other side has hung up, and the news of it is on its way."""
FAREWELL = 1.5
"""Seconds that the PBX gets to answer a BYE, and as many for the end of a registration."""

Facts = dict[str, Any]


class Wire:
    """Standard output, one JSON object a line, shared by the threads of the SIP stack."""

    def __init__(self) -> None:
        """Take standard output for ourselves: the SIP stack prints there before it can be told not to."""
        self._lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.close(silence)
        self._lock = threading.Lock()

    def send(self, **facts: object) -> None:
        with self._lock:
            self._lines.write(json.dumps(facts) + "\n")
            self._lines.flush()


class Ear(pj.AudioMediaPort):  # type: ignore[misc]
    """The phone's microphone and earpiece: both callbacks of one tick of the conference bridge, hence one clock."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self.tape = tape
        self.listening = False
        self.started = 0.0
        """Monotonic time of sample 0, in seconds."""
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 1_000_000 * FRAME // RATE, 16)
        self.createPort("ear", audio)

    def onFrameRequested(self, frame: Any) -> None:
        pcm = self.tape.outgoing() if self.listening else bytes(2 * FRAME)
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.size = len(pcm)
        frame.buf = pj.ByteVector(pcm)

    def onFrameReceived(self, frame: Any) -> None:
        if not self.listening:
            return
        self.started = self.started or time.monotonic()
        self.tape.incoming(bytes(frame.buf) if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO else b"")

    def begin(self) -> None:
        """Start the clock of a call."""
        self.tape.rewind()
        self.started = 0.0
        self.listening = True


class Line(pj.Call):  # type: ignore[misc]
    """One call of this phone."""

    def __init__(self, account: pj.Account, handset: "Handset", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.handset = handset
        self.began = time.monotonic()
        self.answered = False
        self.over = threading.Event()

    def onCallState(self, _prm: Any) -> None:
        if self.handset.line is not self:  # a second caller, who is being told that we are busy
            return
        info = self.getInfo()
        if info.state in (pj.PJSIP_INV_STATE_CONNECTING, pj.PJSIP_INV_STATE_CONFIRMED) and not self.answered:
            self.answered = True
            now = time.monotonic()
            self.handset.wire.send(event="answered", after_ms=1000 * (now - self.began), at=now)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED and not self.over.is_set():
            self.over.set()
            self.handset.call_ended(info.lastStatusCode)

    def onCallMediaState(self, _prm: Any) -> None:
        info = self.getInfo()  # owns the list: without this name it is freed while we walk it
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio, ear = self.getAudioMedia(index), self.handset.ear
                audio.startTransmit(ear)
                ear.startTransmit(audio)
                if not ear.listening:
                    ear.begin()
                    self.handset.wire.send(event="audio")

    def onDtmfDigit(self, prm: Any) -> None:
        self.handset.wire.send(event="digit", digit=prm.digit, at=self.handset.tape.now)


class Extension(pj.Account):  # type: ignore[misc]
    """Who this phone is, to the PBX."""

    def __init__(self, handset: "Handset") -> None:
        super().__init__()
        self.handset = handset
        self.told = threading.Event()
        """Set when the PBX has replied to a registration, or to its end."""

    def onRegState(self, prm: Any) -> None:
        self.told.set()
        self.handset.wire.send(event="registered", code=int(prm.code))

    def onIncomingCall(self, prm: Any) -> None:
        self.handset.ring(self, prm.callId)


class Handset:
    """The SIP stack and the one call it may have."""

    def __init__(self, wire: Wire, noise_floor: float, *, suppressing: bool) -> None:
        self.wire = wire
        self.tape = Tape(noise_floor, random.getrandbits(32))  # no two phones have the same noise
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        settings = pj.EpConfig()
        settings.logConfig.level = settings.logConfig.consoleLevel = 1
        settings.uaConfig.threadCnt = 1
        settings.medConfig.clockRate = settings.medConfig.sndClockRate = RATE
        settings.medConfig.noVad = not suppressing
        settings.medConfig.ecTailLen = 0
        self.endpoint.libInit(settings)
        self.endpoint.audDevManager().setNullDev()
        udp = pj.TransportConfig()
        udp.boundAddress = "127.0.0.1"
        self.transport = self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, udp)
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 250 if codec.codecId.startswith("PCMA/8000") else 0)
        self.ear = Ear(self.tape)
        self.account: Extension | None = None
        self.line: Line | None = None

    # Commands: one method each, named by "do"; what it returns is the reply.

    def identify(self, uri: str, registrar: str = "", password: str = "") -> Facts:
        """Be `uri`, such as `"Name" <sip:user@host>`; registers when a registrar is named."""
        user = uri.rpartition("sip:")[2].partition("@")[0]
        settings = pj.AccountConfig()
        settings.idUri = uri
        if registrar:
            settings.regConfig.registrarUri = registrar
            settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        rtp = settings.mediaConfig.transportConfig
        rtp.boundAddress = "127.0.0.1"
        rtp.port = random.randrange(*RTP_PORTS, 2)
        if self.account is not None:
            self.account.shutdown()
        self.account = Extension(self)
        self.account.create(settings)
        return {}

    def address(self) -> Facts:
        info = self.endpoint.transportGetInfo(self.transport)
        return {"port": int(info.localName.rpartition(":")[2])}

    def call(self, uri: str) -> Facts:
        self.ear.listening = False
        self.line = Line(self.account, self)
        self.line.makeCall(uri, pj.CallOpParam(True))  # noqa: FBT003 - the binding takes no keywords
        return {}

    def answer(self, code: int) -> Facts:
        """Answer with a SIP status: 200 takes the call, 486 or 603 declines it."""
        reply = pj.CallOpParam()
        reply.statusCode = code
        self._current().answer(reply)
        return {}

    def hangup(self) -> Facts:
        if self.line is not None and not self.line.over.is_set():
            try:
                self.line.hangup(pj.CallOpParam())
            except pj.Error as e:
                if e.status != OVER_ALREADY:
                    raise
        return {}

    def dial(self, digits: str) -> Facts:
        self._current().dialDtmf(digits)
        return {"at": self.tape.now}

    def say(self, pcm: str) -> Facts:
        samples = np.frombuffer(base64.b64decode(pcm), np.int16)
        if self.tape.to_say + len(samples) > LONGEST_SPEECH:
            raise ValueError(f"more than {LONGEST_SPEECH // RATE} s to say")
        self._check_audio()
        return {"start": self.tape.say(samples)}

    def hush(self) -> Facts:
        self.tape.hush()
        return {}

    def unwatch(self, key: int) -> Facts:
        return {"was_open": self.tape.unwatch(key)}

    def cut(self, start: int, stop: int) -> Facts:
        sent, received = (base64.b64encode(pcm).decode() for pcm in self.tape.cut(start, stop))
        return {"sent": sent, "received": received}

    def clock(self) -> Facts:
        return {"now": self.tape.now, "started": self.ear.started, "full": self.tape.full}

    # What is not a plain command

    def watch(self, key: int, kind: Literal["speech", "quiet", "moment"], samples: int, since: int | None) -> None:
        """Reply to the command `key` when what is watched for has come."""
        self._check_audio()
        start = self.tape.now if since is None else since
        self.tape.watch(key, Watch(kind, samples, start, lambda at: self.wire.send(id=key, ok={"at": at})))

    def ring(self, account: Extension, call_id: int) -> None:
        """A call comes in: 180, or 486 while there is a call."""
        line = Line(account, self, call_id)
        reply = pj.CallOpParam()
        if self.line is not None and not self.line.over.is_set():
            reply.statusCode = pj.PJSIP_SC_BUSY_HERE
            line.hangup(reply)
            return
        self.line, self.ear.listening = line, False
        reply.statusCode = pj.PJSIP_SC_RINGING
        line.answer(reply)
        self.wire.send(event="ringing", caller=line.getInfo().remoteUri, at=line.began)

    def call_ended(self, code: int) -> None:
        self.ear.listening = False
        for key in self.tape.watched:
            if self.tape.unwatch(key):
                self.wire.send(id=key, error="the call has ended")
        self.wire.send(event="ended", code=code)

    def close(self) -> None:
        """Take leave of the PBX, then end the stack in the order it asserts: call objects first."""
        self.hangup()
        if self.line is not None:
            self.line.over.wait(FAREWELL)
        if self.account is not None and self.account.getInfo().regIsActive:
            self.account.told.clear()
            self.account.setRegistration(False)
            self.account.told.wait(FAREWELL)
        self.line = None
        del self.ear
        self.endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)  # else it waits a second for what is done above

    def _check_audio(self) -> None:
        if not self.ear.listening:
            raise ValueError("there is no audio path")

    def _current(self) -> Line:
        if self.line is None or self.line.over.is_set():
            raise ValueError("this phone has no call")
        return self.line


def obey(handset: Handset, command: Facts) -> None:
    """Run one command and send its reply."""
    key, name = command.pop("id"), command.pop("do")
    try:
        if name == "watch":
            handset.watch(key, **command)
        else:
            handset.wire.send(id=key, ok=getattr(handset, name)(**command))
    except (ValueError, pj.Error) as e:
        handset.wire.send(id=key, error=e.reason if isinstance(e, pj.Error) else str(e))


def main() -> None:
    """Serve until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that drives the phone
    wire = Wire()
    handset = Handset(wire, float(sys.argv[1]), suppressing="suppressing" in sys.argv[2:])
    wire.send(event="ready")
    for line in sys.stdin:
        obey(handset, json.loads(line))
    handset.close()


if __name__ == "__main__":
    main()
