"""A server of SFTP, version 3 without extensions, in the place of ssh: it serves a directory, waits where it is told
to, and refuses renames by a plan. What it does with handles stands in a log."""

import os, struct, sys, time

scratch = sys.argv[1]
root, log, plan = (os.path.join(scratch, name) for name in ("data", "log", "plan"))
handles, last = {}, 0
OK, EOF, NO_SUCH_FILE, FAILURE, UNSUPPORTED = 0, 1, 2, 4, 8


def tell(word):
    with open(log, "a") as file:
        file.write(word + "\n")


def wait_at(word):
    """Until nobody holds it up here any more."""
    tell("at " + word)
    while os.path.exists(os.path.join(scratch, "hold " + word)):
        time.sleep(0.005)


def next_of_plan():
    with open(plan) as file:
        rest = file.read()
    if rest[:1] != "*":
        with open(plan, "w") as file:
            file.write(rest[1:])
    return rest[:1]


def string(data):
    return struct.pack(">I", len(data)) + data


def attributes(found):
    fields = (0xD, found.st_size, found.st_mode, int(found.st_atime), int(found.st_mtime))
    return struct.pack(">IQIII", *fields)


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self):
        length = self.number(">I")
        self.at += length
        return self.data[self.at - length : self.at]


def answer(kind, number, body):
    message = struct.pack(">BI", kind, number) + body
    sys.stdout.buffer.write(string(message))
    sys.stdout.buffer.flush()


def status(number, code):
    answer(101, number, struct.pack(">I", code) + string(b"") + string(b""))


def opened(number, what):
    global last
    last += 1
    handles[b"%d" % last] = what
    tell("open")
    answer(102, number, string(b"%d" % last))


def place(path):
    return os.path.join(root.encode(), path.lstrip(b"/"))


def rename(number, source, target):
    step = next_of_plan()
    if step == "n":
        with open(target, "w") as file:
            file.write("theirs")
    if step in ("x", "n", "*") or os.path.lexists(target):
        return status(number, FAILURE)
    os.rename(source, target)
    status(number, OK)


def serve(kind, number, fields):
    if kind == 3:
        path, flags = place(fields.string()), fields.number(">I")
        mode = os.O_RDONLY if flags & 1 else os.O_WRONLY | os.O_CREAT | os.O_EXCL
        opened(number, os.open(path, mode, 0o644))
    elif kind == 4:
        handle = handles.pop(fields.string())
        if isinstance(handle, int):
            os.close(handle)
        tell("close")
        status(number, OK)
    elif kind == 5:
        handle, offset, length = handles[fields.string()], fields.number(">Q"), fields.number(">I")
        data = os.pread(handle, length, offset)
        answer(103, number, string(data)) if data else status(number, EOF)
    elif kind == 6:
        handle, offset = handles[fields.string()], fields.number(">Q")
        os.pwrite(handle, fields.string(), offset)
        status(number, OK)
    elif kind in (7, 17):
        found = os.lstat(place(fields.string())) if kind == 7 else os.stat(place(fields.string()))
        answer(105, number, attributes(found))
    elif kind == 8:
        answer(105, number, attributes(os.fstat(handles[fields.string()])))
    elif kind in (9, 10):
        status(number, OK)
    elif kind == 11:
        names = sorted(os.listdir(place(fields.string())))
        wait_at("opendir")
        opened(number, names)
    elif kind == 12:
        names = handles[fields.string()]
        wait_at("readdir")
        if not names:
            return status(number, EOF)
        name = names.pop(0)
        found = os.lstat(os.path.join(root.encode(), name))
        answer(104, number, struct.pack(">I", 1) + string(name) + string(name) + attributes(found))
    elif kind in (13, 14, 15):
        {13: os.remove, 14: os.mkdir, 15: os.rmdir}[kind](place(fields.string()))
        status(number, OK)
    elif kind == 18:
        rename(number, place(fields.string()), place(fields.string()))
    else:
        status(number, UNSUPPORTED)


while head := sys.stdin.buffer.read(4):
    data = sys.stdin.buffer.read(*struct.unpack(">I", head))
    if data[0] == 1:
        sys.stdout.buffer.write(string(struct.pack(">BI", 2, 3)))
        sys.stdout.buffer.flush()
        continue
    number = struct.unpack_from(">I", data, 1)[0]
    try:
        serve(data[0], number, Fields(data[5:]))
    except FileNotFoundError:
        status(number, NO_SUCH_FILE)
    except (OSError, KeyError):
        status(number, FAILURE)
