"""Furnish the namespaces that `unshare` made, then become a command that cannot leave them.

    unshare --user --map-root-user --mount --pid --fork --net --ipc --uts \
        python3 -I -S namespace_entry.py '{"root": ..., "folder": ..., "binds": [...]}' COMMAND...

`root` is an empty folder that becomes the command's `/`, `folder` its working folder, and `binds`
are lists of source, target and whether the target can be written to. It needs no other module of
this project: Python runs it by its path.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from typing import Any

_READ_ONLY, _NO_SET_ID, _NO_DEVICES, _NO_PROGRAMS = 0x1, 0x2, 0x4, 0x8
_REMOUNT, _BIND, _RECURSIVE = 0x20, 0x1000, 0x4000
_NO_ACCESS_TIMES, _NO_FOLDER_ACCESS_TIMES, _RELATIVE_ACCESS_TIMES = 0x400, 0x800, 0x200000
"""Flags of mount(2)."""
_FLAGS = {
    "nosuid": _NO_SET_ID,
    "nodev": _NO_DEVICES,
    "noexec": _NO_PROGRAMS,
    "noatime": _NO_ACCESS_TIMES,
    "nodiratime": _NO_FOLDER_ACCESS_TIMES,
    "relatime": _RELATIVE_ACCESS_TIMES,
}
"""Flags by their names in /proc/self/mountinfo; a remount must keep those that are set."""
_DETACH = 0x2
_DROP_FROM_BOUNDING_SET, _NO_NEW_PRIVILEGES = 24, 38
"""Options of prctl(2)."""
_LAST_CAPABILITY = 63
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
"""Requests of netdevice(7), and the flag of a network device that is up."""
_DEVICES = ("full", "null", "random", "urandom", "zero")
_LINKS = {"fd": "/proc/self/fd", "ptmx": "pts/ptmx"} | {
    name: f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))
}
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Furnish the namespaces and become the command, or end with one line on stderr."""
    room, command = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        _furnish(room)
        _raise_loopback()
        _drop_capabilities()
        os.chdir(room["folder"])
        os.execvp(command[0], command)  # noqa: S606  to run commands is what it is for
    except (OSError, AttributeError) as error:
        sys.exit(f"the namespaces cannot be used: {error}")


def _furnish(room: Any) -> None:
    root = str(room["root"])
    _mount("tmpfs", root, "tmpfs", _NO_SET_ID | _NO_DEVICES, "mode=755")
    for source, target, _ in room["binds"]:
        _bind(source, root + target)
    writable = {root + target for _, target, is_writable in room["binds"] if is_writable}
    for place, flags in _mounts(root):
        if place != root and place not in writable:
            _mount("none", place, "", flags | _REMOUNT | _BIND | _READ_ONLY)
    _make_devices(root)
    _make(f"{root}/proc", is_folder=True)
    closed = _NO_SET_ID | _NO_DEVICES | _NO_PROGRAMS
    _mount("proc", f"{root}/proc", "proc", closed)
    _mount("none", f"{root}/proc", "", closed | _REMOUNT | _BIND | _READ_ONLY)
    os.chdir(root)
    _check(_LIBC.pivot_root(b".", b"."), "pivot_root")
    _check(_LIBC.umount2(b".", _DETACH), "umount of the old root")
    os.chdir("/")


def _make_devices(root: str) -> None:
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"{root}/dev/{name}")
    for name in ("shm", "pts"):
        _make(f"{root}/dev/{name}", is_folder=True)
    _mount("tmpfs", f"{root}/dev/shm", "tmpfs", _NO_SET_ID | _NO_DEVICES, "mode=1777")  # noqa: S108
    _mount("devpts", f"{root}/dev/pts", "devpts", _NO_SET_ID, "newinstance,ptmxmode=0666,mode=620")
    for name, target in _LINKS.items():
        os.symlink(target, f"{root}/dev/{name}")


def _bind(source: str, target: str) -> None:
    _make(target, is_folder=os.path.isdir(source))
    _mount(source, target, "", _BIND | _RECURSIVE)


def _make(path: str, *, is_folder: bool) -> None:
    """Make a place to mount on, if there is none."""
    os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
    if not is_folder and not os.path.exists(path):
        with open(path, "x"):
            pass


def _mounts(root: str) -> list[tuple[str, int]]:
    """Return the mounts from a folder on, with their flags."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        parts = [line.split(" ") for line in lines]
    places = [(_unescape(each[4]), each[5].split(",")) for each in parts]
    return [
        (place, sum(_FLAGS.get(option, 0) for option in options))
        for place, options in places
        if f"{place}/".startswith(f"{root}/")
    ]


def _unescape(text: str) -> str:
    r"""Return a path of mountinfo, which writes a space as \040 and a backslash as \134."""
    for code in (" ", "\t", "\n", "\\"):
        text = text.replace(f"\\{ord(code):03o}", code)
    return text


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    names = (os.fsencode(each) for each in (source, target, kind))
    done = _LIBC.mount(*names, ctypes.c_ulong(flags), data.encode() or None)
    _check(done, f"mount of {target}")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(device, _GET_FLAGS, request))[1]
        fcntl.ioctl(device, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def _drop_capabilities() -> None:
    """Keep the root of the namespace from undoing what was mounted."""
    for capability in range(_LAST_CAPABILITY + 1):
        if _LIBC.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0):
            break  # the kernel has no more of them
    _check(_LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
