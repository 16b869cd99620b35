"""A window of four colours for a Wayland compositor, as large as the compositor wants it, of Python's own library alone."""
import array
import os
import socket
import struct
import sys

server = socket.socket(socket.AF_UNIX)
server.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], os.environ["WAYLAND_DISPLAY"]))
last = 1
globals_of = {}


def new_id():
    global last
    last += 1
    return last


def text(value):
    raw = value.encode() + b"\0"
    return struct.pack("I", len(raw)) + raw + bytes(-len(raw) % 4)


def send(target, opcode, *words, fd=None):
    body = b"".join(word if isinstance(word, bytes) else struct.pack("I", word) for word in words)
    message = struct.pack("II", target, (8 + len(body)) << 16 | opcode) + body
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
    server.sendmsg([message], rights)


def events():
    pending = b""
    while True:
        while len(pending) >= 8:
            target, word = struct.unpack_from("II", pending)
            if len(pending) < word >> 16:
                break
            yield target, word & 0xFFFF, pending[8 : word >> 16]
            pending = pending[word >> 16 :]
        more = server.recv(65536)
        if not more:
            sys.exit("the compositor has ended")
        pending += more


def bind(interface):
    made = new_id()
    send(registry, 0, globals_of[interface], text(interface), 1, made)
    return made


def painted(width, height):
    rows = [
        b"".join(struct.pack("I", colour) * (width // 2) for colour in pair) for pair in ((0xC04040, 0x40C040), (0x4040C0, 0xC0C040))
    ]
    size = width // 2 * 8 * height
    memory = os.memfd_create("window")
    os.write(memory, b"".join(row * (height // 2) for row in rows).ljust(size, b"\0"))
    pool, buffer = new_id(), new_id()
    send(shm, 0, pool, size, fd=memory)
    send(pool, 0, buffer, 0, width // 2 * 2, height, width // 2 * 8, 1)
    return buffer


registry = new_id()
send(1, 1, registry)
done = new_id()
send(1, 0, done)
size = (640, 480)
for target, opcode, body in events():
    if target == 1 and opcode == 0:
        sys.exit("the compositor says %r" % body)
    elif target == registry and opcode == 0:
        name, length = struct.unpack_from("II", body)
        globals_of[body[8 : 7 + length].decode()] = name
    elif target == done and opcode == 0:
        compositor, shm, base = bind("wl_compositor"), bind("wl_shm"), bind("xdg_wm_base")
        surface, shell, toplevel = new_id(), new_id(), new_id()
        send(compositor, 0, surface)
        send(base, 2, shell, surface)
        send(shell, 1, toplevel)
        send(surface, 6)
        done = 0
    elif done == 0 and target == base and opcode == 0:
        send(base, 3, body)
    elif done == 0 and target == toplevel and opcode == 0:
        wanted = struct.unpack_from("II", body)
        size = wanted if all(wanted) else size
    elif done == 0 and target == shell and opcode == 0:
        send(shell, 4, body)
        send(surface, 1, painted(*size), 0, 0)
        send(surface, 2, 0, 0, *size)
        send(surface, 6)
