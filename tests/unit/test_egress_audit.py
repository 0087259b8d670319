"""What strace writes is read as whom a program talked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.egress.audit import connections, outside, written


def v4(ip: str, port: int) -> str:
    return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{ip}")}}'


def v6(ip: str, port: int, scope: str = "0") -> str:
    flow = f"sin6_port=htons({port}), sin6_flowinfo=htonl(0)"
    return f'{{sa_family=AF_INET6, {flow}, inet_pton(AF_INET6, "{ip}", &sin6_addr), sin6_scope_id={scope}}}'


def path(name: str) -> str:
    return f'{{sa_family=AF_UNIX, sun_path="{name}"}}'


LOCAL = [
    f"7 connect(5, {v4('127.0.0.1', 18088)}, 16) = 0",
    f"7 connect(5, {v4('127.8.9.1', 5038)}, 16 <unfinished ...>",
    "7 <... connect resumed>)               = -1 EINPROGRESS (Operation now in progress)",
    f"7 connect(5, {v6('::1', 80)}, 28) = 0",
    f"7 connect(5, {v6('::ffff:127.0.0.1', 80)}, 28) = 0",
    f"7 connect(6, {path('/srv/postgres/.s.PGSQL.5432')}, 110) = 0",
    f"7 connect(6, {path('/var/run/nscd/socket')}, 110) = -1 ENOENT (No such file or directory)",
    '7 sendto(4, ""..., 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20',
    '7 sendto(9, ""..., 640, MSG_NOSIGNAL, NULL, 0) = 640',
    '7 connect(5, {sa_family=AF_UNSPEC, sa_data=""}, 16) = 0',
    "7 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_uid=0, si_status=0} ---",
    "7 +++ exited with 0 +++",
]


def test_the_loopback_the_file_system_and_the_kernel_are_this_machine() -> None:
    assert outside(LOCAL) == []
    assert connections(LOCAL) == 4


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (f"connect(5, {v4('192.0.2.7', 443)}, 16) = -1 ENETUNREACH (Network is unreachable)", "192.0.2.7 port 443"),
        (f"connect(5, {v4('10.0.0.5', 443)}, 16 <unfinished ...>", "10.0.0.5 port 443"),
        (f"connect(5, {v6('2001:db8::7', 443)}, 28) = -1 ENETUNREACH", "2001:db8::7 port 443"),
        (f"connect(5, {v6('::ffff:192.0.2.7', 443)}, 28) = 0", "::ffff:192.0.2.7 port 443"),
        (f"connect(5, {v6('fe80::1', 443, 'if_nametoindex(x)')}, 28) = 0", "fe80::1 port 443"),
        (f'sendto(5, ""..., 30, MSG_NOSIGNAL, {v4("192.0.2.53", 53)}, 16) = 30', "192.0.2.53 port 53"),
        (
            f"sendmsg(5, {{msg_name={v4('192.0.2.9', 9)}, msg_namelen=16, msg_iovlen=1}}, 0)",
            "192.0.2.9 port 9",
        ),
        (
            f"sendmmsg(5, [{{msg_hdr={{msg_name={v4('192.0.2.123', 123)}, msg_namelen=16}}}}], 1, 0)",
            "192.0.2.123 port 123",
        ),
        (f"connect(5, {v4('127.0.0.53', 53)}, 16) = 0", "resolver on 127.0.0.53 port 53"),
        (
            f"connect(5, {path('/run/systemd/resolve/io.systemd.Resolve')}, 42) = -1 ENOENT",
            "resolver behind a socket of the file system",
        ),
        (f"connect(5, {path('/var/run/nscd/socket')}, 110) = 0", "resolver behind a socket of the file system"),
        ("connect(5, {sa_family=AF_VSOCK, svm_cid=2, svm_port=1}, 16) = 0", "address of family VSOCK"),
        ('connect(5, {sa_family=AF_INET, sa_data=""}, 16) = 0', "unreadable address of family INET"),
        ("io_uring_setup(8, {flags=0}) = 4", "io_uring: what is sent by it cannot be audited"),
    ],
)
def test_whoever_else_is_addressed_is_named_once(call: str, complaint: str) -> None:
    assert outside([*LOCAL, f"7 {call}", f"8 {call}"]) == [complaint]
    assert connections([f"7 {call}"]) == 0


OURS = (Path("/srv/spool"),)


@pytest.mark.parametrize(
    "call",
    [
        'openat(AT_FDCWD</srv>, "/srv/spool/eins.spool", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5</srv/spool/eins.spool>',
        'openat(AT_FDCWD</srv/spool>, "base/1", O_RDWR) = 5</srv/spool/base/1>',
        'openat(AT_FDCWD</srv>, "/usr/share/x.wav", O_RDONLY|O_CLOEXEC) = 5</usr/share/x.wav>',
        'openat(AT_FDCWD</>, "/dev/null", O_WRONLY) = 5</dev/null>',
        'memfd_create(""..., MFD_CLOEXEC) = 5</memfd:libffi>(deleted)',
        'openat(AT_FDCWD</>, "/opt/__pycache__/a.cpython-311.pyc.139", O_WRONLY|O_CREAT|O_EXCL, 0644) = 5</opt/x>',
        'openat(AT_FDCWD</>, "/work/call.wav", O_WRONLY|O_CREAT, 0644) = -1 EACCES (Permission denied)',
    ],
)
def test_what_is_read_or_lies_in_our_folders_is_no_trace(call: str) -> None:
    assert written([f"7 {call}"], OURS) == []


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ('openat(AT_FDCWD</work>, "call.wav", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 5</work/call.wav>', "/work/call.wav"),
        ('openat(9</srv/other>, "x", O_RDWR <unfinished ...>', "/srv/other/x"),
        ('openat(AT_FDCWD</>, "/work", O_RDWR|O_TMPFILE, 0600) = 5</work/#1>', "/work"),
        ('creat("/srv/spoolx/x.raw", 0644) = 5</srv/spoolx/x.raw>', "/srv/spoolx/x.raw"),
        ('memfd_create(""..., MFD_CLOEXEC) = 5</memfd:x>(deleted)', "in memory: x"),
        ("<... memfd_create resumed>)          = 5</memfd:sound>(deleted)", "in memory: sound"),
    ],
)
def test_a_file_anywhere_else_and_one_in_memory_are(call: str, path: str) -> None:
    assert written([f"7 {call}", f"8 {call}"], OURS) == [path]
